//! What the man pages say besides the options, in the requests of man(7).

/// The further sections of a page, which follow its options.
pub(crate) fn sections(page: &str) -> &'static str {
    match page {
        "vroom" => VROOM,
        "vroom-term" => TERM,
        "vroom-attach" => ATTACH,
        "vroom-cp" => COPY,
        "vroom-login" => LOGIN,
        "vroom-share" => SHARE,
        _ => "",
    }
}

const VROOM: &str = r#".SH SERVERS
A server is named as \fI[user@]host[:port]\fR, by a URL, or by a name of the
configuration.
.TP
\fBlocalhost\fR The server of this user on this machine: no login, no
encryption.
.TP
\fIhost\fR, \fIhost:port\fR TLS, port 2222 unless named.
.TP
\fBhttps://\fR\fIhost\fR, \fBwss://\fR\fIhost\fR A WebSocket in TLS, port 443,
which also leads through web proxies.
.TP
\fBtls://\fR, \fBtcp://\fR, \fBws://\fR, \fBunix:\fR\fIPATH\fR The way itself.
Without encryption only loopback is reached.
.PP
The key of a server is shown at the first visit and kept. When it is another
one later, nothing is sent, and the message says what to do. A certificate
that an authority of this system vouches for needs no question.
.SH LOGIN
In this order: the user of this machine, what \fBvroom login\fR saved, keys
named with \fB\-i\fR, the keys of the ssh\-agent (also of hardware tokens),
\fI~/.ssh/id_*\fR, and a code or token that is asked for.
.SH FILES
.TP
.I ~/.config/vroom/config.toml
Names of hosts and what holds for them:
.IP
.EX
[defaults]
predict = "auto"

[hosts.work]
hostname = "work.example.org"
port = 2222
user = "alice"
identity = "~/.ssh/work"
jump = "gate.example.org"
forward_local = ["8080:localhost:80"]
.EE
.TP
.I ~/.config/vroom/known_hosts
The keys of servers, one per line.
.TP
.I ~/.config/vroom/credentials.toml
What \fBvroom login\fR saved; nobody else may read it.
.SH ENVIRONMENT
.TP
.B VROOM_HOST
The server where none is named.
.TP
.B VROOM_CLIENT_CONFIG
The configuration in the place of the usual one.
.TP
.B SSH_AUTH_SOCK
The socket of the ssh\-agent.
.SH EXIT STATUS
0 when it was done, 1 when not, 2 when the command line makes no sense.
\fBvroom term\fR and \fBvroom attach\fR end as the program did, with 128 and
the number of the signal when one killed it, and with 255 when the connection
was at fault.
.SH SEE ALSO
.BR ssh (1),
.BR ssh\-agent (1)
"#;

const TERM: &str = r#".SH ESCAPE CHARACTER
At the beginning of a line, the escape character is for vroom and not for the
program:
.TP
.B ~.
Leave. A terminal with a name runs on.
.TP
.B ~^Z
Suspend vroom.
.TP
.B ~#
List what is forwarded.
.TP
.B ~s
Say how the connection does.
.TP
.B ~R
Go on over a new transport.
.TP
.B ~?
List these.
.TP
.B ~~
The character itself.
.SH WHEN THE CONNECTION BREAKS
vroom makes a new one and goes on. What was typed in between reaches the
program once. After a moment a line at the top says for how long nothing was
heard.
.SH PREDICTION
Where the way is long, typed characters are shown before the server confirms
them, and taken back when it shows something else; never while a password is
read.
.SH EXAMPLES
.EX
vroom term work
vroom term \-\-name build work 'make \-j8'
tar c src | vroom term work 'tar x \-C /tmp'
vroom term \-N \-L 8080:localhost:80 \-D 1080 work
vroom term \-J gate.example.org inner.example.org
.EE
.SH EXIT STATUS
That of the program; 128 and the number of the signal that killed it; 255 when
the connection was at fault.
.SH SEE ALSO
.BR vroom (1),
.BR vroom\-attach (1),
.BR vroom\-cp (1)
"#;

const ATTACH: &str = r#".SH EXAMPLES
.EX
vroom ls work
vroom attach \-H work build
vroom attach \-r work:build
.EE
.SH SEE ALSO
.BR vroom\-term (1),
.BR vroom\-ls (1)
"#;

const COPY: &str = r#".SH GOING ON
A large file is written under its name with \fI.vroom\-part\fR behind it until
it is complete. When a copy broke off, the same command goes on where it
stopped, if the end of the part is still the same.
.SH EXAMPLES
.EX
vroom cp report.pdf work:
vroom cp \-r work:photos .
vroom cp \-rp src lib work:project/
.EE
.SH SEE ALSO
.BR vroom (1),
.BR scp (1)
"#;

const LOGIN: &str = r#".SH EXAMPLES
On the server, \fBvroomd pair\fR prints a code that works once:
.PP
.EX
vroom login \-\-pair 12345678 work
pass show work | vroom login \-\-token\-file \- work
.EE
.SH SEE ALSO
.BR vroom (1),
.BR vroom\-logout (1)
"#;

const SHARE: &str = r#".SH EXAMPLES
.EX
vroom share \-H work \-\-ttl 8h build
vroom share \-H work \-\-list build
vroom share \-H work \-\-revoke LINK build
.EE
.PP
Whoever has the link can only watch.
.SH SEE ALSO
.BR vroom\-attach (1)
"#;

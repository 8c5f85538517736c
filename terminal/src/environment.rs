//! What programs find in their environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::Account;
use crate::terminfo::term_or_fallback;

/// The environment of a program, and what was not let into it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Environment {
    /// The variables.
    pub vars: BTreeMap<OsString, OsString>,
    /// The names of the client's variables that the allow-list does not have, in order.
    pub refused: Vec<String>,
}

impl Environment {
    /// Says what the terminal can do.
    ///
    /// The type falls back to `xterm-256color` when the system has no description of it.
    pub fn set_terminal(&mut self, kind: &TermKind, account: &Account) {
        let term = term_or_fallback(&kind.term, &account.home);
        self.vars.insert("TERM".into(), term.into());
        if kind.truecolor {
            let colorterm = self.vars.entry("COLORTERM".into());
            colorterm.or_insert_with(|| "truecolor".into());
        }
    }
}

/// What a client says about its terminal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TermKind {
    /// The name of its description, for example `xterm-256color`.
    pub term: String,
    /// Whether it shows 24-bit colours.
    pub truecolor: bool,
}

/// Builds the environment of a program from nothing.
///
/// `base` is what the daemon wants programs to have, such as the display of its desktop; `set_env` is
/// what the client sent, of which only the names on `allow_list` are taken (`*` at the end of a name
/// stands for any ending). The account's own variables win over both. Variables that cannot exist
/// (with `=` or a zero byte in the name, or a zero byte in the value) are refused.
pub fn environment(
    account: &Account,
    base: impl IntoIterator<Item = (OsString, OsString)>,
    allow_list: &[&str],
    set_env: impl IntoIterator<Item = (String, String)>,
) -> Environment {
    let mut environment = Environment::default();
    for (name, value) in base {
        if is_possible(&name, &value) {
            environment.vars.insert(name, value);
        }
    }
    for (name, value) in set_env {
        if is_allowed(&name, allow_list) && is_possible(OsStr::new(&name), OsStr::new(&value)) {
            environment.vars.insert(name.into(), value.into());
        } else {
            environment.refused.push(name);
        }
    }
    let vars = &mut environment.vars;
    if !CHARACTER_SETS
        .iter()
        .any(|name| vars.contains_key(OsStr::new(name)))
    {
        vars.insert("LANG".into(), FALLBACK_LANG.into());
    }
    vars.insert("HOME".into(), account.home.clone().into());
    vars.insert("USER".into(), account.name.clone().into());
    vars.insert("LOGNAME".into(), account.name.clone().into());
    vars.insert("SHELL".into(), account.shell.clone().into());
    vars.entry("PATH".into()).or_insert_with(|| PATH.into());
    environment
}

fn is_allowed(name: &str, allow_list: &[&str]) -> bool {
    allow_list
        .iter()
        .any(|allowed| match allowed.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *allowed,
        })
}

fn is_possible(name: &OsStr, value: &OsStr) -> bool {
    let name = name.as_bytes();
    !name.is_empty()
        && !name.contains(&b'=')
        && !name.contains(&0)
        && !value.as_bytes().contains(&0)
}

/// The names that clients may set unless the configuration says otherwise.
pub const ALLOWED: [&str; 8] = vroom_protocol::terminal::Environment::DEFAULT_ALLOW_LIST;

/// What decides how programs read bytes as text; the first that is set does.
const CHARACTER_SETS: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];

/// Terminals speak UTF-8; without any locale programs would assume ASCII.
const FALLBACK_LANG: &str = "C.UTF-8";

/// Where programs are when nobody says otherwise; login shells read the system's own choice.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            name: "ada".into(),
            home: "/home/ada".into(),
            shell: "/bin/bash".into(),
        }
    }

    fn get<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
        environment.vars.get(OsStr::new(name))?.to_str()
    }

    #[test]
    fn only_allowed_names_are_taken() {
        let set_env = [
            ("LC_TIME", "de_DE.UTF-8"),
            ("TZ", "Europe/Berlin"),
            ("LD_PRELOAD", "/tmp/evil.so"),
            ("LANGX", "x"),
            ("LC_A=B", "x"),
            ("NO_COLOR", "a\0b"),
        ];
        let set_env = set_env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let built = environment(&account(), [], &ALLOWED, set_env);
        assert_eq!(get(&built, "LC_TIME"), Some("de_DE.UTF-8"));
        assert_eq!(get(&built, "TZ"), Some("Europe/Berlin"));
        assert_eq!(built.refused, ["LD_PRELOAD", "LANGX", "LC_A=B", "NO_COLOR"]);
    }

    #[test]
    fn nothing_of_our_own_environment_is_in_it() {
        let built = environment(&account(), [], &ALLOWED, []);
        let names: Vec<_> = built.vars.keys().filter_map(|name| name.to_str()).collect();
        assert_eq!(names, ["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "USER"]);
        assert_eq!(get(&built, "HOME"), Some("/home/ada"));
        assert_eq!(get(&built, "LANG"), Some("C.UTF-8"));
    }

    #[test]
    fn a_client_cannot_move_the_home_of_the_account() {
        let base = [(OsString::from("HOME"), OsString::from("/base"))];
        let set_env = [("HOME".to_owned(), "/client".to_owned())];
        let built = environment(&account(), base, &["*"], set_env);
        assert_eq!(get(&built, "HOME"), Some("/home/ada"));
    }
}

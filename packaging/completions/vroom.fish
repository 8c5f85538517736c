# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_vroom_global_optspecs
    string join \n h/help V/version
end

function __fish_vroom_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_vroom_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_vroom_using_subcommand
    set -l cmd (__fish_vroom_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c vroom -n "__fish_vroom_needs_command" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_needs_command" -s V -l version -d 'Print version'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "term" -d 'Open a terminal, or run a command, on a server'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "ls" -d 'List the terminals of a server'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "list" -d 'List the terminals of a server'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "attach" -d 'Join a terminal that runs'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "share" -d 'Share a terminal by a link that can only watch'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "kill" -d 'End a terminal and the program in it'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "rename" -d 'Give a terminal another name'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "cp" -d 'Copy files to or from a server'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "login" -d 'Save a login for a server'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "logout" -d 'Forget the login for a server'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "doctor" -d 'Check what is needed to connect, and say what to do'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "generate" -d 'Write man pages or completions into a folder'
complete -c vroom -n "__fish_vroom_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s L -l local -d 'Forward a port or Unix socket here to one there: [bind:]port:host:hostport' -r
complete -c vroom -n "__fish_vroom_using_subcommand term" -s R -l remote -d 'Forward a port or Unix socket there to one here: [bind:]port:host:hostport' -r
complete -c vroom -n "__fish_vroom_using_subcommand term" -s D -l dynamic -d 'Be a SOCKS proxy here that connects from there: [bind:]port' -r
complete -c vroom -n "__fish_vroom_using_subcommand term" -s e -l escape -d 'Use this escape character, or none [default: ~]' -r
complete -c vroom -n "__fish_vroom_using_subcommand term" -l name -d 'Name the terminal, which then outlives the connection' -r
complete -c vroom -n "__fish_vroom_using_subcommand term" -l predict -d 'Show typed characters before the server confirms them [default: auto]' -r -f -a "auto\t'When the way to the server is long'
always\t'On every connection'
never\t'Not at all'"
complete -c vroom -n "__fish_vroom_using_subcommand term" -s p -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand term" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand term" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand term" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand term" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand term" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand term" -s t -l tty -d 'Ask for a terminal even for a command; twice even when standard input is none'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s T -l no-tty -d 'Ask for no terminal'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s A -l agent -d 'Let programs there use the keys of the agent here; asks for each use'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s a -l no-agent -d 'Do not forward the agent'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s N -l no-command -d 'Run no program, only forward ports'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s f -l background -d 'Go to the background once connected'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s n -l null-input -d 'Read nothing from standard input'
complete -c vroom -n "__fish_vroom_using_subcommand term" -l persist -d 'Let the terminal outlive the connection'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand term" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s p -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand ls" -l json -d 'Print JSON for programs to read'
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand ls" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_using_subcommand list" -s p -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand list" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand list" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand list" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand list" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand list" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand list" -l json -d 'Print JSON for programs to read'
complete -c vroom -n "__fish_vroom_using_subcommand list" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand list" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand list" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand list" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand list" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s e -l escape -d 'Use this character to leave, with a dot after it; none for no such character' -r
complete -c vroom -n "__fish_vroom_using_subcommand attach" -l scrollback -d 'Fetch this many lines from before' -r
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s H -l host -d 'Use this server: [user@]host[:port], a URL, or an alias of config.toml' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s p -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s r -l readonly -d 'Only watch'
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand attach" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_using_subcommand share" -l ttl -d 'End the link after this time, for example 30m, 8h or 7d' -r
complete -c vroom -n "__fish_vroom_using_subcommand share" -l uses -d 'Let the link be used this many times' -r
complete -c vroom -n "__fish_vroom_using_subcommand share" -l revoke -d 'Withdraw this link instead' -r
complete -c vroom -n "__fish_vroom_using_subcommand share" -s H -l host -d 'Use this server: [user@]host[:port], a URL, or an alias of config.toml' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand share" -s p -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand share" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand share" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand share" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand share" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand share" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand share" -l list -d 'List the links of the terminal instead'
complete -c vroom -n "__fish_vroom_using_subcommand share" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand share" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand share" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand share" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand share" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s H -l host -d 'Use this server: [user@]host[:port], a URL, or an alias of config.toml' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s p -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand kill" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s H -l host -d 'Use this server: [user@]host[:port], a URL, or an alias of config.toml' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s p -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand rename" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s P -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s r -l recursive -d 'Copy folders and what is in them'
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s p -l preserve -d 'Keep permissions and times'
complete -c vroom -n "__fish_vroom_using_subcommand cp" -l restart -d 'Start over instead of going on with a copy that broke off'
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand cp" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_using_subcommand login" -l pair -d 'Use the one-time code that `vroomd pair` prints on the server' -r
complete -c vroom -n "__fish_vroom_using_subcommand login" -l token-file -d 'Read the token from this file; - is standard input' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand login" -s p -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand login" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand login" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand login" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand login" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand login" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand login" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand login" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand login" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand login" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand login" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s p -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand logout" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s p -l port -d 'Connect to this port' -r
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s l -l login -d 'Log in as this user' -r
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s i -l identity -d 'Prove who you are with this private key; may be given several times' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s o -l option -d 'Set an option as ssh_config names it, for example ConnectTimeout=5' -r
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s J -l jump -d 'Go through these servers first, separated by commas' -r -f -a "(__fish_print_hostnames)"
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s F -l config -d 'Read this configuration instead of ~/.config/vroom/config.toml' -r -F
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s 4 -l ipv4 -d 'Use IPv4 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s 6 -l ipv6 -d 'Use IPv6 addresses only'
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s v -l verbose -d 'Say what happens; twice says more'
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s q -l quiet -d 'Say nothing but errors'
complete -c vroom -n "__fish_vroom_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c vroom -n "__fish_vroom_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "term" -d 'Open a terminal, or run a command, on a server'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "ls" -d 'List the terminals of a server'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "attach" -d 'Join a terminal that runs'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "share" -d 'Share a terminal by a link that can only watch'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "kill" -d 'End a terminal and the program in it'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "rename" -d 'Give a terminal another name'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "cp" -d 'Copy files to or from a server'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "login" -d 'Save a login for a server'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "logout" -d 'Forget the login for a server'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "doctor" -d 'Check what is needed to connect, and say what to do'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "generate" -d 'Write man pages or completions into a folder'
complete -c vroom -n "__fish_vroom_using_subcommand help; and not __fish_seen_subcommand_from term ls attach share kill rename cp login logout doctor generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'

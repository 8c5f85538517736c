//! Where a file is, as scp writes it.

/// Where a file is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// On this machine.
    Here(String),
    /// On a server.
    There {
        /// The server.
        host: String,
        /// The path there; empty for where one arrives.
        path: String,
    },
}

impl Place {
    /// Reads `[user@]host:path`, `scheme://[user@]host[:port]/path` or a path; a colon behind a slash
    /// belongs to a path.
    pub(super) fn parse(text: &str) -> Self {
        if let Some((scheme, rest)) = text.split_once("://")
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            // As scp has it: the slash only ends the host.
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            return Self::There {
                host: format!("{scheme}://{host}"),
                path: path.to_owned(),
            };
        }
        let here = || Self::Here(text.to_owned());
        let colon = match text.strip_prefix('[').and_then(|rest| rest.find("]:")) {
            // An IPv6 address has colons of its own.
            Some(end) => Some(end + 2),
            None => match text.rsplit_once("@[").and_then(|(user, rest)| {
                let end = rest.find("]:")?;
                (!user.contains(['/', ':'])).then_some(user.len() + end + 3)
            }) {
                Some(colon) => Some(colon),
                None => text.find(':'),
            },
        };
        let Some(colon) = colon.filter(|colon| *colon > 0) else {
            return here();
        };
        match (text.get(..colon), text.get(colon + 1..)) {
            (Some(host), Some(path)) if !host.contains('/') => Self::There {
                host: host.to_owned(),
                path: path.to_owned(),
            },
            _ => here(),
        }
    }

    pub(super) fn host(&self) -> Option<&str> {
        match self {
            Self::Here(_) => None,
            Self::There { host, .. } => Some(host),
        }
    }

    pub(super) fn path(&self) -> &str {
        match self {
            Self::Here(path) | Self::There { path, .. } => path,
        }
    }
}

/// The last part of a path.
pub(super) fn base(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// Puts a name behind a path of a server.
pub(super) fn join(dir: &str, name: &str) -> String {
    match dir {
        "" => name.to_owned(),
        dir if dir.ends_with('/') => format!("{dir}{name}"),
        dir => format!("{dir}/{name}"),
    }
}

/// Whether a name of a server can be a file of ours: one that leads nowhere else.
pub(super) fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(text: &str) -> (String, String) {
        match Place::parse(text) {
            Place::There { host, path } => (host, path),
            Place::Here(path) => panic!("{path} is here"),
        }
    }

    #[test]
    fn a_colon_before_any_slash_names_a_server() {
        assert_eq!(there("h:a/b"), ("h".into(), "a/b".into()));
        assert_eq!(there("u@h:"), ("u@h".into(), String::new()));
        assert_eq!(there("[::1]:/a"), ("[::1]".into(), "/a".into()));
        assert_eq!(there("u@[::1]:a"), ("u@[::1]".into(), "a".into()));
        let url = there("tls://u@h:7/a:b");
        assert_eq!(url, ("tls://u@h:7".into(), "a:b".into()));
        assert_eq!(there("https://h//a"), ("https://h".into(), "/a".into()));
        assert_eq!(there("https://h"), ("https://h".into(), String::new()));
        for here in ["a", "./a:b", "/a:b", ":a", ""] {
            assert_eq!(Place::parse(here), Place::Here(here.into()));
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        assert!(is_name("a..b"));
        for name in ["", ".", "..", "a/b", "/a", "a\0"] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn paths_have_parts() {
        assert_eq!(base("a/b/"), "b");
        assert_eq!(base("b"), "b");
        assert_eq!(join("a/", "b"), "a/b");
        assert_eq!(join("", "b"), "b");
    }
}

//! The variables that a client sets: only allowed ones, and only so many.

use super::super::environment::{Environment, is_allowed};
use super::super::error::ErrorMessage;
use super::super::event::Event;
use super::super::message;
use super::Server;
use crate::Code;
use crate::encoding::Value;

/// How much was taken so far.
#[derive(Debug, Default)]
pub(super) struct Variables {
    count: usize,
    bytes: usize,
}

impl Variables {
    /// Takes a variable, if it is allowed and there is room.
    fn admit(&mut self, name: &str, value: &str, allow_list: &[String]) -> bool {
        let bytes = self.bytes + name.len() + value.len();
        let is_admitted = is_allowed(name, allow_list)
            && !value.contains('\0')
            && self.count < Environment::VARIABLES_MAX
            && bytes <= Environment::BYTES_MAX;
        if is_admitted {
            self.count += 1;
            self.bytes = bytes;
        }
        is_admitted
    }
}

impl Server {
    // VROOM-Terminal §5.5: the refused names go into one ERROR 4203.
    pub(super) fn set_env(&mut self, environment: Environment) {
        let (allowed, refused): (Vec<_>, Vec<_>) = environment
            .0
            .into_iter()
            .partition(|(name, value)| self.variables.admit(name, value, &self.offer.allow_list));
        if !refused.is_empty() {
            let names = refused.into_iter().map(|(name, _)| Value::Text(name));
            self.report(&ErrorMessage {
                reference: Some(message::SET_ENV),
                data: Some(Value::Array(names.collect())),
                ..ErrorMessage::new(Code::ENV_REFUSED, "these variables are not allowed")
            });
        }
        if !allowed.is_empty() {
            self.events.push_back(Event::EnvSet(Environment(allowed)));
        }
    }
}

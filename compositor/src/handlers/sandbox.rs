//! wp_security_context: a sandbox engine says which programs are not to be trusted.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use smithay::delegate_security_context;
use smithay::reexports::calloop::{EventSource, Poll, PostAction, Readiness, Token, TokenFactory};
use smithay::reexports::wayland_server::Client;
use smithay::wayland::security_context::{
    SecurityContext, SecurityContextHandler, SecurityContextListenerSource,
};

use crate::client::ClientState;
use crate::state::State;

impl SecurityContextHandler for State {
    fn context_created(&mut self, source: SecurityContextListenerSource, context: SecurityContext) {
        tracing::debug!(
            engine = context.sandbox_engine.as_deref(),
            app = context.app_id.as_deref(),
            "a sandbox may connect programs"
        );
        if Arc::strong_count(&self.sandboxes) > SANDBOXES {
            return tracing::debug!("too many sandboxes; another one is not listened to");
        }
        let source = Sandboxed {
            listener: source,
            _count: Arc::clone(&self.sandboxes),
        };
        let accept = |stream, (): &mut (), state: &mut Self| state.add_sandboxed_client(stream);
        if let Err(error) = self.handle.insert_source(source, accept) {
            tracing::debug!(%error, "a sandbox cannot be listened to");
        }
    }
}

/// Whether a program may see the globals that reach beyond its own windows.
pub(super) fn is_trusted(client: &Client) -> bool {
    client
        .get_data::<ClientState>()
        .is_some_and(|state| !state.sandboxed)
}

/// Marks globals of ours that only trusted programs see.
#[derive(Debug)]
pub(crate) struct Trusted;

/// The listener of a sandbox; it ends by itself where it fails, and takes nobody with it.
struct Sandboxed {
    listener: SecurityContextListenerSource,
    _count: Arc<()>,
}

impl EventSource for Sandboxed {
    type Event = UnixStream;
    type Metadata = ();
    type Ret = ();
    type Error = std::io::Error;

    fn process_events<F>(
        &mut self,
        readiness: Readiness,
        token: Token,
        callback: F,
    ) -> std::io::Result<PostAction>
    where
        F: FnMut(UnixStream, &mut ()),
    {
        self.listener
            .process_events(readiness, token, callback)
            .or_else(|error| {
                tracing::debug!(%error, "the listener of a sandbox failed");
                Ok(PostAction::Remove)
            })
    }

    fn register(
        &mut self,
        poll: &mut Poll,
        tokens: &mut TokenFactory,
    ) -> smithay::reexports::calloop::Result<()> {
        self.listener.register(poll, tokens)
    }

    fn reregister(
        &mut self,
        poll: &mut Poll,
        tokens: &mut TokenFactory,
    ) -> smithay::reexports::calloop::Result<()> {
        self.listener.reregister(poll, tokens)
    }

    fn unregister(&mut self, poll: &mut Poll) -> smithay::reexports::calloop::Result<()> {
        self.listener.unregister(poll)
    }
}

/// The most sandboxes that are listened to; each is two open files of ours.
const SANDBOXES: usize = 64;

delegate_security_context!(State);

//! wl_shm: memory that programs share with us.
//!
//! smithay does the work. What it is handed is looked at before, and counted: a pool is an open
//! file of ours for as long as it or one of its buffers is there.

use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_buffer::{self, WlBuffer};
use smithay::reexports::wayland_server::protocol::wl_shm::{self, WlShm};
use smithay::reexports::wayland_server::protocol::wl_shm_pool::{self, WlShmPool};
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, Resource as _, delegate_global_dispatch,
};
use smithay::wayland::shm::{ShmBufferUserData, ShmHandler, ShmPoolUserData, ShmState};

use crate::client::ClientState;
use crate::state::State;

impl ShmHandler for State {
    fn shm_state(&self) -> &ShmState {
        &self.protocols.shm
    }
}

impl Dispatch<WlShm, ()> for State {
    fn request(
        state: &mut Self,
        client: &Client,
        shm: &WlShm,
        request: wl_shm::Request,
        data: &(),
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        if matches!(request, wl_shm::Request::CreatePool { .. }) && !may_hold(client) {
            return shm.post_error(
                wl_shm::Error::InvalidFd,
                "too many pools and buffers are there already",
            );
        }
        <ShmState as Dispatch<WlShm, (), Self>>::request(
            state, client, shm, request, data, display, init,
        );
    }
}

impl Dispatch<WlShmPool, ShmPoolUserData> for State {
    fn request(
        state: &mut Self,
        client: &Client,
        pool: &WlShmPool,
        request: wl_shm_pool::Request,
        data: &ShmPoolUserData,
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        match &request {
            // smithay refuses it as well, and then goes on with it.
            wl_shm_pool::Request::Resize { size } if *size <= 0 => {
                return pool.post_error(wl_shm::Error::InvalidFd, "a pool has a size");
            }
            wl_shm_pool::Request::CreateBuffer { .. } if !may_hold(client) => {
                return pool.post_error(
                    wl_shm::Error::InvalidFd,
                    "too many pools and buffers are there already",
                );
            }
            _ => {}
        }
        <ShmState as Dispatch<WlShmPool, ShmPoolUserData, Self>>::request(
            state, client, pool, request, data, display, init,
        );
    }

    fn destroyed(state: &mut Self, client: ClientId, _: &WlShmPool, _: &ShmPoolUserData) {
        state.holds_less(client);
    }
}

impl Dispatch<WlBuffer, ShmBufferUserData> for State {
    fn request(
        state: &mut Self,
        client: &Client,
        buffer: &WlBuffer,
        request: wl_buffer::Request,
        data: &ShmBufferUserData,
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        <ShmState as Dispatch<WlBuffer, ShmBufferUserData, Self>>::request(
            state, client, buffer, request, data, display, init,
        );
    }

    fn destroyed(state: &mut Self, client: ClientId, buffer: &WlBuffer, data: &ShmBufferUserData) {
        state.holds_less(client.clone());
        <ShmState as Dispatch<WlBuffer, ShmBufferUserData, Self>>::destroyed(
            state, client, buffer, data,
        );
    }
}

/// Counts one more pool or buffer of a program, unless it has too many.
fn may_hold(client: &Client) -> bool {
    let state = client.get_data::<ClientState>();
    state.is_none_or(ClientState::holds_more)
}

impl State {
    fn holds_less(&self, client: ClientId) {
        // A program that is gone needs no count.
        let state = self.display.backend_handle().get_client_data(client);
        let state = state.map(|state| state.downcast_arc::<ClientState>());
        if let Ok(Ok(state)) = state {
            state.holds_less();
        }
    }
}

delegate_global_dispatch!(State: [WlShm: ()] => ShmState);

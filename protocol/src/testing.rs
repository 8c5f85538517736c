//! Two connections joined by a virtual network, with a virtual clock.

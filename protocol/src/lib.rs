//! The VROOM wire: mux, Graphical and Terminal as pure codecs and state machines.

//! The driver loop and the links that carry a connection.

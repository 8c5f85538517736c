//! Pseudo-terminals with a byte history that any number of readers follow.

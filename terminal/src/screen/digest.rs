//! What makes two screens equal.

/// Everything visible and every mode of a screen: equal for equal screens.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScreenDigest {}

//! Sets of bits in one byte of the wire.

/// Gives a type around a byte the ways of a set; bits that are not in `$all` are ignored.
macro_rules! bits {
    ($name:ident, $all:literal) => {
        impl $name {
            /// The set of a byte of the wire; bits without a meaning are ignored.
            pub const fn from_bits(bits: u8) -> Self {
                Self(bits & $all)
            }

            /// The byte of the wire.
            pub const fn bits(self) -> u8 {
                self.0
            }

            /// Whether all of `other` is in it.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl std::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                self.0 |= other.0;
            }
        }
    };
}

pub(super) use bits;

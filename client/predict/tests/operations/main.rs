//! Random calls in any order; the fuzz target `operations` makes the same ones.

mod driver;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_calls_leave_nothing_behind(data in proptest::collection::vec(any::<u8>(), 0..1_500)) {
        driver::run(&data);
    }
}

/// Found by the fuzz target: a character whose bytes are typed in two calls.
#[test]
fn a_character_may_be_typed_in_two_parts() {
    driver::run(
        b"\x0b\x86\x19\x00\x04\x72\xd4\xd4\xd4\xd4\xf3\xb2\x6f\xb2\xb2\xb2\xb2\xb2\xa2\xb2\xd4\xf3\xb2\x6f\xb2\xb2\xb2\xb2\xb2\xa2\xb2\xb2\xb2\xb2\xb2\x8f\xff\xdc\xdc\xdd",
    );
}

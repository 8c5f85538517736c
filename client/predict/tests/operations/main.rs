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

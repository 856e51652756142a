use rand::{SeedableRng, rngs::StdRng};

/// A random number generator whose seed is printed, so that a failing run can be had again with `FOOTFALL_TEST_SEED`.
pub fn seeded(test: &str) -> StdRng {
    let seed = std::env::var("FOOTFALL_TEST_SEED").ok().map_or_else(rand::random, |seed| seed.parse().unwrap());
    println!("{test}: FOOTFALL_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

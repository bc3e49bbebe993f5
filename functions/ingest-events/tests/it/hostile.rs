//! What the fuzzers check, on their seeds, on the seeds changed a little, and on every input that once broke it.

use std::{fs, path::Path};

use crate::common::fixtures;

#[path = "../../../../tests/fuzz/src/checks/mod.rs"]
#[allow(dead_code, reason = "what only the fuzzers call")]
mod fuzz;

use fuzz::Target;

/// The input that is being checked, told when the check panics.
struct Told<'a>(Target, &'a str, &'a [u8]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} breaks on {}: {:?}", self.0.name(), self.1, String::from_utf8_lossy(self.2));
        }
    }
}

fn check(target: Target, what: &str, input: &[u8]) {
    let _told = Told(target, what, input);
    target.check(input);
}

#[test]
fn every_input_that_once_broke_a_reader() {
    for target in Target::ALL {
        let folder = fixtures().join("hostile").join(target.name());
        let Ok(found) = fs::read_dir(folder) else { continue };
        for file in found {
            let file = file.unwrap().path();
            check(target, &file.display().to_string(), &fs::read(&file).unwrap());
        }
    }
}

/// Every number follows from the one before, so that a failure comes again (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % most.max(1) as u64) as usize
    }
}

/// A seed with a piece cut out, doubled, moved, or a byte changed.
fn changed(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let (a, b) = (dice.below(seed.len()), dice.below(seed.len()));
    let (from, to) = (a.min(b), a.max(b));
    let [head, piece, tail] = [&seed[..from], &seed[from..to], &seed[to..]];
    match dice.below(6) {
        0 => [head, tail].concat(),
        1 => [head, piece, piece, tail].concat(),
        2 => head.to_vec(),
        3 => [head, tail, piece].concat(),
        kind => {
            let mut seed = seed.to_vec();
            if let Some(byte) = seed.get_mut(a) {
                const LIKELY: &[u8] = b"\"\\{}[],:0-N\n=%\x00\xFF\xED\xEF";
                *byte = if kind == 4 { LIKELY[dice.below(LIKELY.len())] } else { dice.below(256) as u8 };
            }
            seed
        }
    }
}

#[test]
fn the_fuzzers_seeds_and_small_changes_to_them() {
    let mut dice = Dice(3);
    for target in Target::ALL {
        let seeds = fuzz::of(target, Path::new(&fixtures()));
        assert!(!seeds.is_empty(), "{} has no seeds", target.name());
        for seed in &seeds {
            check(target, "a seed", seed);
            for _ in 0..30 {
                let mut input = changed(seed, &mut dice);
                for _ in 0..dice.below(4) {
                    input = changed(&input, &mut dice);
                }
                check(target, "a changed seed", &input);
            }
        }
    }
}

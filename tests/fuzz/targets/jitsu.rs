#![no_main]

libfuzzer_sys::fuzz_target!(init: barometer_fuzz::checks::seed(barometer_fuzz::checks::Target::Jitsu), |data: &[u8]| {
    barometer_fuzz::checks::Target::Jitsu.check(data);
});

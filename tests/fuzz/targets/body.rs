#![no_main]

libfuzzer_sys::fuzz_target!(init: barometer_fuzz::checks::seed(barometer_fuzz::checks::Target::Body), |data: &[u8]| {
    barometer_fuzz::checks::Target::Body.check(data);
});

#![no_main]

libfuzzer_sys::fuzz_target!(init: barometer_fuzz::checks::seed(barometer_fuzz::checks::Target::CloudEvents), |data: &[u8]| {
    barometer_fuzz::checks::Target::CloudEvents.check(data);
});

//! `muster_fuzz::server` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| muster_fuzz::server(data));

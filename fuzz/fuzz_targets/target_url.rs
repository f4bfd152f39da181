#![no_main]

#[allow(dead_code)]
#[path = "../../crates/antiphon/src/outbound/target.rs"]
mod target;

use target::TargetUrl;

// A URL is refused, or it has a form that is its own form, is sent as it is printed, and fits a request line.
libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(target) = TargetUrl::parse(text) {
        assert_eq!(TargetUrl::parse(target.as_str()).as_ref(), Ok(&target));
        assert_eq!(target.uri().to_string(), target.as_str());
        assert!(target.as_str().bytes().all(|c| c.is_ascii_graphic()));
        assert!(target.as_str().len() <= target::MAX_LENGTH && target.decoded().len() <= target.as_str().len());
        assert!(!target.host().is_empty());
    }
});

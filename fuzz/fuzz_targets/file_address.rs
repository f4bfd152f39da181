#![no_main]

#[allow(dead_code)]
#[path = "../../crates/antiphon/src/files/links/claim.rs"]
mod claim;

use antiphon_wire::files::ImageSize;
use antiphon_wire::query::Query;
use claim::{Claim, Scaled, said};

type Address = (i64, i64, i64, u8, bool);

fn signed((portal, file, expires, size, upscale): Address) -> Vec<u8> {
    let size = ImageSize::ALL.get(usize::from(size)).copied();
    said(format!("/files/{portal}/{file}").as_bytes(), expires, Scaled { size, upscale })
}

fn plain((portal, file, expires, size, upscale): Address) -> (i64, i64, i64, Option<ImageSize>, bool) {
    (portal, file, expires, ImageSize::ALL.get(usize::from(size)).copied(), upscale)
}

// Whatever stands behind an address, what it claims is read back as it is printed; and what is signed for one is no other's.
libfuzzer_sys::fuzz_target!(|input: (&str, Address, Address)| {
    let (text, one, other) = input;
    if let Some(claim) = Claim::read(&Query::parse(text)) {
        let printed = claim.printed();
        let again = Claim::read(&Query::parse(printed.trim_start_matches('?')));
        assert_eq!(again, Some(claim), "{printed}");
    }
    assert_eq!(signed(one) == signed(other), plain(one) == plain(other));
});

//! Addresses of files: of their bytes, for those who may have them. A private file's says until when it is good, and carries a
//! proof that only the server can make; it is made without asking what became of the file.

use antiphon_wire::message::Addresses;

use crate::app::App;
use crate::call::Call;

/// Makes the addresses in what is being printed.
pub struct Links<'a> {
    origin: &'a str,
}

impl<'a> Links<'a> {
    /// For somebody who reaches the server there.
    pub fn new(_app: &'a App, origin: &'a str) -> Self {
        Self { origin }
    }

    /// For whoever calls.
    pub fn of(call: &'a Call) -> Self {
        Self::new(&call.app, &call.origin)
    }
}

impl Addresses for Links<'_> {
    fn write(&self, path: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.origin.as_bytes());
        out.extend_from_slice(path);
    }
}

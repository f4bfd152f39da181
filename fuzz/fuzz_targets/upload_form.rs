#![no_main]

#[allow(dead_code)]
#[path = "../../crates/antiphon/src/files/form/parts.rs"]
mod parts;

use std::convert::Infallible;
use std::future::{Future, ready};

use bytes::Bytes;
use parts::{Fault, Sink};

/// Counts what it is handed.
#[derive(Default)]
struct Counter {
    begun: usize,
    ended: usize,
    bytes: u64,
}

impl Sink for Counter {
    type Error = Infallible;

    fn begin(&mut self, _: Option<&str>, _: Option<&str>) {
        self.begun += 1;
    }

    fn push(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), Infallible>> + Send {
        assert_eq!((self.begun, self.ended), (1, 0), "bytes come between a beginning and an end");
        self.bytes += bytes.len() as u64;
        ready(Ok(()))
    }

    fn end(&mut self) -> impl Future<Output = Result<(), Infallible>> + Send {
        self.ended += 1;
        ready(Ok(()))
    }
}

const MOST: u64 = 1_000;

fn read(body: &[u8], piece: usize) -> (Result<std::collections::BTreeMap<String, String>, String>, Counter) {
    let pieces: Vec<Result<Bytes, Infallible>> =
        body.chunks(piece.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let mut counter = Counter::default();
    let read = parts::read(futures::stream::iter(pieces), "x".into(), MOST, &mut counter);
    let read = futures::executor::block_on(read).map_err(|fault| match fault {
        Fault::Sink(never) => match never {},
        fault => format!("{fault:?}"),
    });
    (read, counter)
}

// However a form is cut into pieces, it is read the same or refused, within its bounds. What fuzzers find hard to guess is given.
libfuzzer_sys::fuzz_target!(|input: (u8, Vec<(u8, Vec<u8>)>)| {
    let (piece, parts) = input;
    let mut body = Vec::new();
    for (kind, bytes) in &parts {
        let given: &[u8] = match kind % 8 {
            0 => b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n",
            1 => b"--x\r\nContent-Disposition: form-data; name=\"options\"\r\n\r\n",
            2 => b"--x\r\nContent-Disposition: form-data; name=\"",
            3 => b"\r\n--x",
            4 => b"\r\n\r\n",
            5 => b"\r\n--x--\r\n",
            6 => b"; filename*=UTF-8''",
            _ => b"",
        };
        body.extend_from_slice(given);
        body.extend_from_slice(bytes);
    }
    let (whole, counted) = read(&body, usize::MAX);
    assert!(counted.bytes <= MOST && counted.begun <= 1 && counted.ended <= counted.begun);
    if let Ok(texts) = &whole {
        assert_eq!(counted.begun, counted.ended);
        assert!(texts.len() <= parts::PARTS && texts.values().all(|text| text.len() as u64 <= 3 * parts::TEXT));
        let (again, cut) = read(&body, usize::from(piece));
        assert_eq!((again.as_ref(), cut.bytes), (Ok(texts), counted.bytes));
    }
});

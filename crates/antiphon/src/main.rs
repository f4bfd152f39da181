//! Reads the command line and hands over.

// Its `override` feature makes it SQLite's allocator as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    antiphon::cli::run()
}

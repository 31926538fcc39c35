//! The memory that large snapshots take: at the peak of a read, after it, and after reading again and again what has one other
//! name each time.
//!
//! The server is a thread that sends prepared bytes and allocates nothing, so what is counted is the client's. The counting
//! allocator tells what was asked for, the kernel what the process has got.
//!
//! `cargo bench --bench memory` measures; `cargo bench --bench memory -- --test` does so with few secrets. `tests/alone/memory.rs`
//! holds the ratios.

// a global allocator cannot be written without it; this one counts and passes everything on
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a bench that cannot go on should stop, and its output is its result

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use tokio::runtime::Builder;
use xtrasecurity::XtraClient;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn grown(bytes: usize) {
    COUNT.fetch_add(1, Relaxed);
    PEAK.fetch_max(LIVE.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every call goes on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // the old block and the new one may be there together
        grown(size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this process has asked for memory.
pub(crate) fn allocations() -> usize {
    COUNT.load(Relaxed)
}

/// How the server sends its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// With its length in a header.
    Length,
    /// In chunks of 16 KiB.
    Chunks,
}

/// What one client took, each as a multiple of the answer's bytes.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) answer: usize,
    /// The most while the first answer was read.
    pub(crate) first_peak: f64,
    /// What was kept then.
    pub(crate) kept: f64,
    /// The most while almost the same was read again, with the snapshot before still there.
    pub(crate) again_peak: f64,
    /// The least that was kept in the last half of the times. The connection keeps a buffer, at some moments two, of up to
    /// 408 KiB, so that a single time tells little.
    pub(crate) kept_at_last: f64,
}

/// Reads so many secrets, and then so often again.
pub(crate) fn measure(secrets: usize, framing: Framing, times: usize) -> Figures {
    let (answer, root) = serve(secrets, framing);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let client = XtraClient::builder().token("xs_memory").project_id("665f1c2ab7c0de0012345678").api_url(root.as_str());
    let client = client.build().unwrap();
    let before = LIVE.load(Relaxed);
    let ratio = |bytes: usize| bytes.saturating_sub(before) as f64 / answer as f64;
    let read = || {
        PEAK.store(LIVE.load(Relaxed), Relaxed);
        let snapshot = runtime.block_on(async { client.get_secrets("production").no_cache().await }).unwrap();
        assert_eq!(snapshot.len(), secrets);
        drop(snapshot);
        (ratio(PEAK.load(Relaxed)), ratio(LIVE.load(Relaxed)))
    };
    let (first_peak, kept) = read();
    let again: Vec<(f64, f64)> = (0..times).map(|_| read()).collect();
    let again_peak = again.iter().map(|(peak, _)| *peak).fold(0.0, f64::max);
    let kept_at_last = again[times / 2..].iter().map(|(_, kept)| *kept).fold(f64::MAX, f64::min);
    Figures { answer, first_peak, kept, again_peak, kept_at_last }
}

/// A thread that answers everything with so many secrets, every other time with another last name; the answer's size, and where
/// to ask.
fn serve(secrets: usize, framing: Framing) -> (usize, String) {
    let answers = [0, 1].map(|turn| answer(secrets, framing, turn));
    let length = answers[0].0;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let root = format!("http://{}/api", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let (mut buffer, mut filled) = ([0; 4096], 0);
            let mut turns = answers.iter().cycle();
            while let Ok(read) = connection.read(&mut buffer[filled..]) {
                filled += read;
                if read == 0 {
                    break;
                }
                if buffer[..filled].ends_with(b"\r\n\r\n") {
                    filled = 0;
                    let Some((_, answer)) = turns.next() else { break };
                    if connection.write_all(answer).is_err() {
                        break;
                    }
                }
            }
        }
    });
    (length, root)
}

/// The bytes of an answer's body, and the whole answer. The last name tells the turn.
fn answer(secrets: usize, framing: Framing, turn: usize) -> (usize, Vec<u8>) {
    let mut body = String::from("{");
    for number in 0..secrets {
        let comma = if number == 0 { "" } else { "," };
        let name = if number + 1 == secrets { number + turn } else { number };
        write!(body, "{comma}\"SETTING_{name:06}\":\"{number:06}-0123456789abcdef01234567\"").unwrap();
    }
    body.push('}');
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let mut answer = match framing {
        Framing::Length => format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes(),
        Framing::Chunks => format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes(),
    };
    if framing == Framing::Chunks {
        for chunk in body.as_bytes().chunks(16 * 1024) {
            write!(answer, "{:x}\r\n", chunk.len()).unwrap();
            answer.extend_from_slice(chunk);
            answer.extend_from_slice(b"\r\n");
        }
        answer.extend_from_slice(b"0\r\n\r\n");
    }
    (body.len(), answer)
}

/// A line of what the kernel tells of this process, in MiB.
fn resident(line: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let text = status.lines().find_map(|text| text.strip_prefix(line))?;
    Some(text.trim().trim_end_matches(" kB").trim().parse::<f64>().ok()? / 1024.0)
}

pub(crate) fn main() {
    let secrets = if std::env::args().any(|argument| argument == "--test") { 2_000 } else { 100_000 };
    println!("{secrets} secrets; multiples of the answer's bytes, as counted by the allocator");
    println!(
        "{:<10} {:>10} {:>11} {:>6} {:>11} {:>13} {:>9} {:>9}",
        "framing", "answer", "first peak", "kept", "later peak", "kept at last", "VmRSS", "VmHWM"
    );
    for framing in [Framing::Length, Framing::Chunks] {
        let Figures { answer, first_peak, kept, again_peak, kept_at_last } = measure(secrets, framing, 20);
        let shown = |line| resident(line).map_or_else(|| "unknown".to_owned(), |size| format!("{size:.1} MiB"));
        println!(
            "{:<10} {answer:>10} {first_peak:>11.2} {kept:>6.2} {again_peak:>11.2} {kept_at_last:>13.2} {:>9} {:>9}",
            format!("{framing:?}"),
            shown("VmRSS:"),
            shown("VmHWM:")
        );
    }
    println!("{} allocations in all", allocations());
}

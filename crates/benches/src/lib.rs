//! Micro-benchmarks: `cargo bench -p bnbpip-benches`. They tell whether a change made one step
//! faster; whole commands are timed beside uv and pip by `benches/compare`.

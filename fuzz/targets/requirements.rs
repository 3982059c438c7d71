#![no_main]
#![expect(dead_code, unused_imports, reason = "these are modules of the program, of which a part is used")]

#[path = "../../crates/bnbpip/src/bounded.rs"]
mod bounded;
#[path = "../../crates/bnbpip/src/failure.rs"]
mod failure;
#[path = "../../crates/bnbpip/src/request/mod.rs"]
mod request;

use std::path::Path;

use request::{RequirementsReader, Surroundings};

const ADDRESS: &str = "https://host.example/requirements.txt";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let surroundings = Surroundings {
        working_directory: Path::new("/nowhere"),
        variable: &|name| Some(name.into()),
    };
    let fetch = |url: &url::Url| match url.as_str() {
        ADDRESS => Ok(bytes.to_vec()),
        _ => request::read_url_nothing(url),
    };
    for is_constraint in [false, true] {
        let mut reader = RequirementsReader::new(surroundings, &fetch);
        drop(reader.read(ADDRESS, is_constraint));
        drop(reader.into_request());
    }
});

//! Compiles the `.proto` files with protox, so that no protoc is needed.

use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let files = [
        "users.proto",
        "muster/v1/batches.proto",
        "muster/v1/dead_letters.proto",
        "muster/v1/queue.proto",
        "muster/v1/roll.proto",
        "muster/v1/workers.proto",
    ];
    let descriptors = protox::compile(files, [root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    // For reflection.
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        // A record as JSON: the nine fields in the order of the .proto file.
        .bytes(".muster.v1")
        .message_attribute("UserRequest", "#[derive(serde::Serialize)]")
        .compile_fds(descriptors)?;
    Ok(())
}

//! Compiles the `.proto` files with protox, so that no protoc is needed.

use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let descriptors = protox::compile(["users.proto", "muster/v1/batches.proto"], [root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    // For reflection.
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        // A record as JSON: the nine fields in the order of the .proto file.
        .message_attribute("UserRequest", "#[derive(serde::Serialize)]")
        .compile_fds(descriptors)?;
    Ok(())
}

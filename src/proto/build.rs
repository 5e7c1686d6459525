//! Compiles the `.proto` files with protox, so that no protoc is needed.

use std::path::PathBuf;

use prost::Message as _;
use prost_types::FileDescriptorSet;

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
    let (users, operations): (Vec<_>, Vec<_>) =
        descriptors.file.into_iter().partition(|file| file.name() == "users.proto");
    tonic_prost_build::configure()
        // A record as JSON: the nine fields in the order of the .proto file.
        .message_attribute("UserRequest", "#[derive(serde::Serialize)]")
        .compile_fds(FileDescriptorSet { file: users })?;
    let operations = FileDescriptorSet { file: operations };
    tonic_prost_build::configure()
        .build_server(false)
        .bytes(".muster.v1")
        .compile_fds(operations.clone())?;
    // Apart, since they have a codec of their own; and without the messages once more.
    let servers = out.join("servers");
    std::fs::create_dir_all(&servers)?;
    tonic_prost_build::configure()
        .build_client(false)
        .codec_path("crate::codec::ServerCodec")
        .extern_path(".muster.v1", "crate::v1")
        .out_dir(servers)
        .compile_fds(operations)?;
    Ok(())
}

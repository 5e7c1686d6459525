#!/usr/bin/env bash
# Guess: the feature raw_value of serde_json adds a type, and costs only those who use the type.
# Version: serde_json 1.0.154, serde 1.0.229, rustc of the machine, optimised
# Behaviour: the feature adds a variant to the serializer's state, so that every field of every struct
#   is written behind one more branch that is not optimised away. Cargo unites features: it is enough
#   that one crate of a build asks for it.
# Seen: 1,000 structs of nine fields written 100 times: RATIO times the instructions.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/src/main.rs" <<'RUST'
#[derive(serde::Serialize)]
struct User<'a> {
    id: i32, user_name: &'a str, email: &'a str, first_name: &'a str, last_name: &'a str,
    ip_address: &'a str, gender: &'a str, country: &'a str, agent: &'a str,
}
fn main() {
    let mut written = 0;
    for _ in 0..100 {
        let mut text = Vec::new();
        for id in 0..1000 {
            let user = User {
                id, user_name: "eva", email: "eva@example.org", first_name: "Eva", last_name: "Ek",
                ip_address: "192.0.2.1", gender: "Female", country: "Peru", agent: "curl/8.5.0",
            };
            serde_json::to_writer(&mut text, std::hint::black_box(&user)).unwrap();
        }
        written += text.len();
    }
    println!("{written} bytes");
}
RUST
# Prints the instructions of the program with these features of serde_json.
instructions() {
    cat > "$folder/Cargo.toml" <<TOML
[package]
name = "write"
version = "0.1.0"
edition = "2021"
[dependencies]
serde = { version = "=1.0.229", features = ["derive"] }
serde_json = { version = "=1.0.154", features = [$1] }
TOML
    (cd "$folder" && cargo build --quiet --release)
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$folder/target/release/write" 2>&1 |
        sed -n 's/.*Collected : //p'
}
without=$(instructions '')
with=$(instructions '"raw_value"')
echo "without $without, with $with instructions"
[ "$with" -gt $((without * 102 / 100)) ]

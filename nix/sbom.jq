# A CycloneDX document from what Cargo says. The same input gives the same bytes.
#   input      cargo metadata
#   $program   the name of the package
#   $tree      cargo tree, a package a line: what the program is compiled from
#   $given     [{lock: Cargo.lock, linked: [the libraries that nixpkgs adds, as parts]}]

def ref: "pkg:cargo/\(.name)@\(.version)";
# Older manifests write / for OR.
def licenses: if .license then [{expression: (.license | gsub("\\s*/\\s*"; " OR "))}] else [] end;

($given[0].lock.package | map({key: ref, value: .checksum}) | from_entries) as $checksums
| ($tree / "\n" | map(select(. != "") | capture("^(?<name>\\S+) v(?<version>\\S+)") | ref) | unique) as $refs
| (.packages | map({key: .id, value: ref}) | from_entries) as $of_id
| (.packages | map(select(.name == $program))[0]) as $main
| (.packages | map(select(ref | IN($refs[]))) | sort_by(.name, .version)) as $packages
| $given[0].linked as $libraries
| {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": ($main | ref),
        name: $main.name,
        version: $main.version,
        description: $main.description,
        licenses: ($main | licenses),
        purl: ($main | ref)
      }
    },
    components: (
      $packages
      | map(select(.name != $program) | {
          type: "library",
          "bom-ref": ref,
          name,
          version,
          description: (.description // "" | gsub("\\s+"; " ") | ltrimstr(" ") | rtrimstr(" ")),
          licenses: licenses,
          hashes: [$checksums[ref] // empty | {alg: "SHA-256", content: .}],
          purl: ref
        })
      | . + $libraries
    ),
    dependencies: (
      ($of_id[$main.id]) as $root
      | .resolve.nodes
      | map(
          $of_id[.id] as $from
          | select($from | IN($refs[]))
          | {
              ref: $from,
              dependsOn: (
                [.deps[] | select(any(.dep_kinds[]; .kind != "dev")) | $of_id[.pkg] | select(IN($refs[]))]
                + if $from == $root then ($libraries | map(."bom-ref")) else [] end
                | unique
              )
            }
        )
      | sort_by(.ref)
    )
  }

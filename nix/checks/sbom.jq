# Whether a bill of materials is whole: no part twice, each crate with a licence, those from the
# registry with a digest, and every edge between parts that are there.
(.components | map(."bom-ref")) as $refs
| ($refs + [.metadata.component."bom-ref"]) as $known
| (.components | map(select(.purl))) as $crates
| ($crates | length > 50)
  and ($refs | length == (unique | length))
  and ($crates | all(.licenses | length == 1))
  and ($crates | all((.name | startswith("muster-")) or (.hashes | length == 1)))
  and (.dependencies | all((.ref | IN($known[])) and all(.dependsOn[]; IN($known[]))))

# Whether a bill of materials is whole: no part twice, each crate with a licence, those from the
# registry with a digest, every edge between parts that are there, and every part at the end of one.
(.components | map(."bom-ref")) as $refs
| ($refs + [.metadata.component."bom-ref"]) as $known
| (.components | map(select(.purl | startswith("pkg:cargo/")))) as $crates
| ($crates | length > 50)
  and ($refs | length == (unique | length))
  and ($crates | all(.licenses | length == 1))
  and ($crates | all((.name | test("^muster(-|$)")) or (.hashes | length == 1)))
  and (.dependencies | all((.ref | IN($known[])) and all(.dependsOn[]; IN($known[]))))
  and ($refs - (.dependencies | map(.dependsOn[])) == [])

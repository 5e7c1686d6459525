# The bill of an image, in CycloneDX, from that of its program.
#   input      the program's bill
#   $beside    [[what lies beside the program and is not linked, as parts]]

.metadata.component as $program
| ($program | {
    type: "container",
    "bom-ref": "\(.name)-image@\(.version)",
    name,
    version,
    description,
    licenses
  }) as $image
| ([$program] + $beside[0]) as $inside
| .metadata.component = $image
| .components = $inside + .components
| .dependencies = [{ref: $image."bom-ref", dependsOn: ($inside | map(."bom-ref"))}] + .dependencies

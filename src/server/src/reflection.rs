//! Reflection: what tools such as grpcurl learn of the services.

use tonic::service::Routes;
use tonic_reflection::pb::{v1, v1alpha};
use tonic_reflection::server::{Builder, Error};

use crate::compression::accept_compressed;

/// Adds both versions of the reflection protocol to these services. v1 replaced v1alpha without a change
/// of its messages; many clients ask only for v1alpha.
///
/// # Errors
///
/// The descriptors that are compiled in cannot be read.
pub(crate) fn add_to(services: Routes) -> Result<Routes, Error> {
    let (v1, v1alpha) = (builder().build_v1()?, builder().build_v1alpha()?);
    Ok(services.add_service(accept_compressed!(v1)).add_service(accept_compressed!(v1alpha)))
}

fn builder() -> Builder<'static> {
    let files = [
        muster_proto::FILE_DESCRIPTOR_SET,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        v1::FILE_DESCRIPTOR_SET,
        v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let builder = Builder::configure().include_reflection_service(false);
    files.into_iter().fold(builder, Builder::register_encoded_file_descriptor_set)
}

//! Which compressions of requests the services accept.
//!
//! `tonic` stops decompressing a message at the limit that an uncompressed one has, and answers
//! RESOURCE_EXHAUSTED. Answers are not compressed: most are shorter than what a compression adds.

/// Lets a service of `tonic` accept compressed requests.
macro_rules! accept_compressed {
    ($service:expr) => {
        $service
            .accept_compressed(::tonic::codec::CompressionEncoding::Gzip)
            .accept_compressed(::tonic::codec::CompressionEncoding::Deflate)
            .accept_compressed(::tonic::codec::CompressionEncoding::Zstd)
    };
}

pub(crate) use accept_compressed;

//! How the servers of `muster.v1` read messages: one that is none is the caller's fault, not theirs.

use std::marker::PhantomData;

use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::ProstCodec;

/// Reads messages of the kind `U`, and writes those of the kind `T`, on behalf of a server.
#[derive(Clone, Copy, Debug)]
pub struct ServerCodec<T, U>(PhantomData<(T, U)>);

/// Reads messages of the kind `U`.
#[derive(Clone, Copy, Debug)]
pub struct ServerDecoder<U>(PhantomData<U>);

impl<T, U> Default for ServerCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for ServerCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = <ProstCodec<T, U> as Codec>::Encoder;
    type Decoder = ServerDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        ServerDecoder(PhantomData)
    }
}

impl<U: Message + Default> Decoder for ServerDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let message = U::decode(from).map_err(|reason| {
            Status::invalid_argument(format!("the message cannot be read: {reason}"))
        })?;
        Ok(Some(message))
    }
}

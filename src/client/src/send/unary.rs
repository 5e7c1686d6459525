//! A call for each record, several at once.

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use muster_content::ContentDigest;
use muster_proto::users::UserResponse;
use tokio::sync::mpsc;
use tonic::{Code, Status};

use super::feed::Feed;
use super::{Sender, Stop};
use crate::metrics;

/// Sends all of the feed as one batch. Returns how many records the server refused.
pub(super) async fn send(sender: &Sender, feed: &mut Feed, in_flight: usize) -> Result<u64, Stop> {
    let (mut sent, mut refused) = (0, 0);
    let pages = stream::unfold(feed, async |feed| Some((feed.next().await?, feed)));
    let records = pages.flat_map(stream::iter).zip(stream::iter(0_u64..));
    let calls = records.map(|(record, place)| send_one(sender, place, record));
    let mut answers = std::pin::pin!(calls.buffer_unordered(in_flight));
    while let Some(answer) = answers.next().await {
        let (place, UserResponse { status, message }) = answer?;
        sent += 1;
        sender.pending.accepted(sent);
        if status {
            metrics::accepted(sent - refused);
        } else {
            refused += 1;
            metrics::refused();
            sender.progress.complain(&format_args!("record {place} was refused: {message}"));
        }
    }
    sender.pending.sealing(true);
    seal(sender, sent - refused).await?;
    Ok(refused)
}

async fn send_one(
    sender: &Sender,
    place: u64,
    record: Bytes,
) -> Result<(u64, UserResponse), Status> {
    let Sender { server, labels, retry, pending, .. } = sender;
    pending.sent(place + 1);
    let answer = retry.call(async || server.send(labels, place, record.clone()).await).await?;
    Ok((place, answer))
}

/// Says that there is no more. A server that knows no batches needs no telling.
async fn seal(sender: &Sender, records: u64) -> Result<(), Stop> {
    let Sender { server, labels, retry, .. } = sender;
    let sealed = retry
        .call(async || match server.seal(&labels.batch, records).await {
            // Without a record there was no call that could have opened the batch.
            Err(status) if status.code() == Code::NotFound && records == 0 => {
                let (_, nothing) = mpsc::channel(1);
                server.send_stream(labels, 0, ContentDigest::EMPTY, nothing).await.map(drop)
            }
            sealed => sealed,
        })
        .await;
    match sealed {
        Err(status) if status.code() == Code::Unimplemented => Ok(()),
        Err(status) => Err(sender.lost(records).await.unwrap_or_else(|| status.into())),
        Ok(()) => Ok(()),
    }
}

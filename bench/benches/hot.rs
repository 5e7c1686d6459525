//! How long the hot functions take, for people: `cargo bench -p muster-bench --bench hot`.

use criterion::{Criterion, Throughput};
use muster_bench::hot::{Case, RECORDS};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("hot");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for case in Case::ALL {
        let mut call = case.prepare().expect("it can be prepared");
        group.bench_function(case.name(), |bencher| {
            bencher.iter(|| call().expect("it does what it is for"));
        });
    }
    group.finish();
    criterion.final_summary();
}

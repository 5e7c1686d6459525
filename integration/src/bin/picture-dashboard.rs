//! Takes the pictures of the dashboard that the documentation shows, on a stack with made-up records.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Parser;
use muster_integration::browser::{Browser, Page, Scheme};
use muster_integration::examples;
use muster_integration::feed::Feed;
use muster_integration::process::Process;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::{SEND, Stack};
use muster_integration::users::{User, Users, write_ndjson};

const WORKERS: usize = 5;
const LIMIT: Duration = Duration::from_secs(30);
/// A page is as high as what is on it, and at least this.
const WINDOW: (u32, u32) = (1200, 320);
const PHONE: (u32, u32) = (390, 320);
/// How often records are sent while the charts fill.
const STEPS_A_SECOND: u32 = 4;
/// How many in each step, over and over: a rate that a person would believe.
const STEPS: [usize; 16] =
    [300, 340, 330, 420, 510, 560, 620, 600, 680, 720, 640, 560, 420, 380, 310, 260];

/// Write the pictures of the dashboard as PNG files. The programs must be built.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to.
    folder: PathBuf,
    /// How long the charts are filled before the first picture.
    #[arg(long, value_name = "N", default_value_t = 150)]
    seconds: u64,
}

fn main() {
    let Arguments { folder, seconds } = Arguments::parse();
    let mut stack = Stack::prepare(Memory);
    stack.environment.push(("MUSTER_WORKER_LEASE".to_owned(), "15s".to_owned()));
    stack.redis.start();
    stack.start_server();
    stack.start_workers(WORKERS);
    stack.wait_until_ready();
    fill(&stack);
    // A server remembers how much went in and out; a new one does not.
    drop(stack.server.take());
    stack.start_server();
    stack.wait_until_ready();

    let pictures = Pictures { page: Browser::start().page(), folder };
    while_sending(&stack, "2026-11-24-berlin", || {
        thread::sleep(Duration::from_secs(seconds));
        // As if they were slow: what they have in hand stays there, and one goes on.
        stack.workers[1..].iter().for_each(Process::freeze);
        pictures.of_a_running_batch(&stack);
        stack.workers[1..].iter().for_each(Process::thaw);
    });
    pictures.of_the_rest(&stack);
    stack.workers.pop().expect("there are workers").kill();
    pictures.page.open(&stack.page("/workers"));
    pictures.page.wait_for("tbody .tag.lost", LIMIT);
    pictures.take("workers");
}

/// Batches in several states, and dead letters of several kinds.
fn fill(stack: &Stack) {
    send(stack, &examples::folder(), &["--batch", "examples"], 3);
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let (oslo, lisbon) = (folder.path().join("oslo.ndjson"), folder.path().join("lisbon.ndjson"));
    write(&oslo, Users::of_seed(2).take(8_412), |_| {});
    send(stack, &oslo, &["--batch", "2026-11-23-oslo"], 0);
    write(&lisbon, Users::of_seed(3).take(5_230), spoil);
    let held = ["--batch", "2026-11-24-lisbon", "--policy", "fail", "--priority", "high"];
    send(stack, &lisbon, &held, 3);
}

/// Makes some records dead letters.
fn spoil(user: &mut User) {
    match user.id {
        id if id % 701 == 0 => user.email = user.email.replace('@', " at "),
        id if id % 1_201 == 0 => user.ip_address = format!("{}.256", user.ip_address),
        4_000 => (user.user_name, user.email) = (String::new(), String::new()),
        _ => {}
    }
}

fn write(file: &Path, users: impl Iterator<Item = User>, change: impl Fn(&mut User)) {
    let users = users.map(|mut user| {
        change(&mut user);
        user
    });
    let file = File::create(file).expect("a new file can be made");
    let mut file = std::io::BufWriter::new(file);
    write_ndjson(&mut file, users).and_then(|()| file.flush()).expect("users can be written");
}

fn send(stack: &Stack, input: &Path, flags: &[&str], code: i32) {
    let mut command = stack.client(input);
    command.args(flags);
    Process::start("muster-client", &mut command).wait(SEND).expect_code(code);
}

/// Does something while records of a batch are sent, and leaves the batch open.
fn while_sending(stack: &Stack, batch: &str, work: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    let mut feed = Feed::begin(stack, batch);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut users = Users::of_seed(1);
            for count in STEPS.into_iter().flat_map(|count| [count; 4]).cycle() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                feed.send(users.by_ref().take(count));
                thread::sleep(Duration::from_secs(1) / STEPS_A_SECOND);
            }
        });
        work();
        is_over.store(true, Ordering::Relaxed);
    });
}

struct Pictures {
    page: Page,
    folder: PathBuf,
}

impl Pictures {
    fn of_a_running_batch(&self, stack: &Stack) {
        self.open(stack, "/");
        self.page
            .wait_until("parseFloat(document.querySelector('.tiles dd').innerText) > 0", LIMIT);
        self.take("overview");
        self.page.prefer_scheme(Scheme::Dark);
        self.open(stack, "/");
        self.wait_until_live();
        self.take("overview-dark");
        self.page.prefer_scheme(Scheme::Light);
        self.open(stack, "/");
        self.page.set_viewport(PHONE.0, PHONE.1);
        self.wait_until_live();
        self.take("overview-phone");
        self.open(stack, "/batches");
        self.take("batches");
        self.open(stack, "/batches/2026-11-24-berlin");
        self.take("batch");
    }

    fn of_the_rest(&self, stack: &Stack) {
        self.open(stack, "/dead");
        self.take("dead");
        self.page.click("tbody th a");
        self.page.wait_until("document.querySelector('h1 .name')", LIMIT);
        self.page.click("tbody th a");
        self.page.wait_for("form.record", LIMIT);
        self.take("letter");
        self.open(stack, "/roll");
        self.take("roll");
    }

    fn open(&self, stack: &Stack, path: &str) {
        self.page.set_viewport(WINDOW.0, WINDOW.1);
        assert_eq!(self.page.open(&stack.page(path)), 200, "{path}");
    }

    fn wait_until_live(&self) {
        self.page.wait_until("document.querySelector('.live').innerText === 'live'", LIMIT);
    }

    fn take(&self, name: &str) {
        fs::create_dir_all(&self.folder).expect("the folder can be made");
        self.page.screenshot(&self.folder.join(format!("dashboard-{name}.png")));
    }
}

//! The dashboard: a real browser on a real server, with a real Redis and real workers behind it.

mod actions;
mod dead_letters;
mod every_page;
mod hostile;
mod keyboard;
mod live;
mod operator;
mod read_only;
mod roll;
mod scripts;
mod workers;

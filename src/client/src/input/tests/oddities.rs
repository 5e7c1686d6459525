//! A table of odd inputs, and what comes out.

use std::io::{self, Read};

use super::super::RECORD_BYTES_MAX;
use super::{outcome, read, read_in_steps, reader_of};

/// Checks what comes out of `input`, however it arrives.
#[track_caller]
fn check(input: impl AsRef<[u8]>, expected: &[&str]) {
    let input = input.as_ref();
    let shown = String::from_utf8_lossy(&input[..input.len().min(200)]);
    for step in [1, 7, usize::MAX] {
        let outcome = outcome(read_in_steps(input, step));
        assert_eq!(outcome.lines().collect::<Vec<_>>(), expected, "{step} at once: {shown}");
    }
}

#[test]
fn every_layout_is_read() {
    check("", &[]);
    check(" \r\n\t\n", &[]);
    check("[]", &[]);
    check("\u{feff}[\r\n]\r\n", &[]);
    check(r#"[{"id":1},{"id":2}]"#, &["1: id 1", "1: id 2"]);
    check("[{\"id\":1},\n{\"id\":2}\n]\n", &["1: id 1", "2: id 2"]);
    check("[ {\r\n  \"id\" : 1\r\n}, {\r\n  \"id\" : 2\r\n} ]", &["1: id 1", "3: id 2"]);
    check("{\"id\":1}\n{\"id\":2}", &["1: id 1", "2: id 2"]);
    check("\u{feff}{\"id\":1}\r\n\r\n{\"id\":2}\r\n", &["1: id 1", "3: id 2"]);
    check("{\n  \"id\": 1\n}\n{\n  \"id\": 2\n}\n", &["1: id 1", "4: id 2"]);
    check(r#"{"id":1}{"id":2} {"id":3}"#, &["1: id 1", "1: id 2", "1: id 3"]);
}

#[test]
fn strings_hide_brackets_and_quotes() {
    check(r#"[{"email":"}],{[\"\\","id":1},{"id":2}]"#, &["1: id 1", "1: id 2"]);
    check(r#"{"a":"\\\\","id":1}{"b":"\\\"{","id":2}"#, &["1: id 1", "1: id 2"]);
}

#[test]
fn objects_in_a_record_may_begin_a_line() {
    check(
        "{\"a\":\n{\"b\":[\n{\"c\":1}\n,\n{\"d\":1}\n]\n}\n,\"id\":1}\n{\"id\":2}",
        &["1: id 1", "9: id 2"],
    );
}

#[test]
fn commas_matter_to_nobody() {
    check("[{\"id\":1}{\"id\":2},,\n,{\"id\":3},]", &["1: id 1", "1: id 2", "2: id 3"]);
    check("{\"id\":1},\n{\"id\":2},\n", &["1: id 1", "2: id 2"]);
}

#[test]
fn what_is_no_object_costs_itself_alone() {
    check(
        "[1,{\"id\":1},\n\"}\",null,[{\"id\":9}]\n,true,{\"id\":2},-1.5e3]",
        &[
            "1: expected an object, found the number 1",
            "1: id 1",
            "2: expected an object, found a string",
            "2: expected an object, found null",
            "2: expected an object, found an array",
            "3: expected an object, found true",
            "3: id 2",
            "3: expected an object, found the number -1500.0",
        ],
    );
    check("7", &["1: expected an object, found the number 7"]);
    check(
        "{\"id\":1}\n[{\"id\":2}]\n{\"id\":3}",
        &["1: id 1", "2: expected an object, found an array", "3: id 3"],
    );
}

#[test]
fn an_invalid_record_costs_itself_alone() {
    check(
        "[{\"id\":1},{\"id\":\"2\"},{\"id\":3 3},{\"id\":4}]",
        &[
            "1: id 1",
            "1: field `id`: expected a whole number, found a string",
            "1: not valid JSON on line 1: expected `,` or `}`",
            "1: id 4",
        ],
    );
    check(
        "{\n\"id\":1,\n}\n{\"id\":2}",
        &["1: not valid JSON on line 3: trailing comma", "4: id 2"],
    );
}

#[test]
fn a_file_that_is_cut_off_keeps_its_whole_records() {
    let ends = "the file ends inside this record (it starts at line 2)";
    check("[{\"id\":1},\n{\"id\":2", &["1: id 1", &format!("2: {ends}")]);
    check("{\"id\":1}\n{\n\"id\":2,\n\"ema", &["1: id 1", &format!("4: {ends}")]);
    check("{\"id\":1}\n{\"a\\", &["1: id 1", &format!("2: {ends}")]);
    check("[{\"id\":1}\n", &["1: id 1", "2: the file ends before the array's closing ]"]);
    check("[{\"id\":1},", &["1: id 1", "1: the file ends before the array's closing ]"]);
    check("[", &["1: the file ends before the array's closing ]"]);
    check("{\"id\":1}\ntru", &["1: id 1", "2: expected a record, found tru"]);
}

#[test]
fn a_broken_line_costs_that_line_alone() {
    let not_closed = "2: this record is not closed before line 3, which begins another";
    for (line, reason) in [
        (r#"{"id":2,"email":"x}"#, "2: a string is not closed at the end of line 2"),
        (r#"{"id":2,"email":"x\"#, "2: a string is not closed at the end of line 2"),
        (r#"{"id":2,"email":x"},"#, "2: a string is not closed at the end of line 2"),
        (r#"{"id":2,"a":[1,2},"#, "2: found } on line 2, which closes nothing that is open"),
        (r#"{"id":2"#, not_closed),
        (r#"{"id":2,"#, not_closed),
        (r#"{"id":2,"a":"#, not_closed),
        (r#"{"id":2,"a":["#, not_closed),
        (r#"{"id":2,"a":[{},"#, not_closed),
        (r#"{"id":2,"a":{{"#, not_closed),
    ] {
        let (before, after) = ("{\"id\":1},\n", "\n{\"id\":3},\n{\"id\":4}\n");
        check(format!("{before}{line}{after}"), &["1: id 1", reason, "3: id 3", "4: id 4"]);
        check(format!("[{before}{line}{after}]"), &["1: id 1", reason, "3: id 3", "4: id 4"]);
    }
}

#[test]
fn what_follows_a_record_on_its_line_costs_that_line_alone() {
    check("{\"id\":1}}\n{\"id\":2}", &["1: id 1", "1: expected a record, found }", "2: id 2"]);
    check(
        "{\"id\":1} : 5, {}\n{\"id\":2}",
        &["1: id 1", "1: expected a record, found :", "2: id 2"],
    );
    check("{\"id\":1}]\n{\"id\":2}", &["1: id 1", "1: expected a record, found ]", "2: id 2"]);
}

#[test]
fn text_that_is_no_json_costs_its_stretch() {
    check("# users\n# of 2026\n  {\"id\":1}\n", &["1: expected a record, found #", "3: id 1"]);
    check(
        "[{\"id\":1},\nundefined,\n{\"id\":2}]",
        &["1: id 1", "2: expected a record, found undefined", "3: id 2"],
    );
    check(
        b"\xff\xfe\x00\x1b\n{\"id\":1}",
        &["1: expected a record, found \u{fffd}\u{fffd}\\0\\u{1b}", "2: id 1"],
    );
}

#[test]
fn a_broken_pretty_record_costs_itself_alone() {
    let records = |second: &str| {
        format!("[\n  {{\n    \"id\": 1\n  }},\n  {second},\n  {{\n    \"id\": 3\n  }}\n]")
    };
    check(
        records("{\n    \"id\": 2,\n    \"email\": \"x\n    {\n  }"),
        &["2: id 1", "5: a string is not closed at the end of line 7", "10: id 3"],
    );
    check(
        records("{\n    \"id\": 2,\n    \"a\": {\n  }"),
        &["2: id 1", "5: this record is not closed before line 9, which begins another", "9: id 3"],
    );
    check(
        "[ {\n  \"id\" : 1,\n  \"a\" : [ 1\n}, {\n  \"id\" : 2\n} ]",
        &["1: found } on line 4, which closes nothing that is open", "4: id 2"],
    );
}

#[test]
fn the_last_record_of_an_array_may_be_broken_too() {
    check(
        "[{\"id\":1},\n{\"id\":2\n]",
        &["1: id 1", "2: found ] on line 3, which closes nothing that is open"],
    );
    check(
        "[{\"id\":1},\n{\"id\":\"2}\n]\n",
        &["1: id 1", "2: a string is not closed at the end of line 2"],
    );
}

#[test]
fn nothing_may_follow_the_array() {
    let after = "expected nothing after the array's closing ]";
    check("[{\"id\":1}]\n{\"id\":2}\n3\n", &["1: id 1", &format!("2: {after}")]);
    check("[{\"id\":1}] x\n", &["1: id 1", &format!("1: {after}")]);
    check("[],", &[&format!("1: {after}")]);
}

#[test]
fn a_bracket_in_a_broken_record_does_not_close_the_array() {
    check(
        "[{\"id\":1},\n{\"id\":2}],\"email\":\"x\"},\n{\"id\":3}]",
        &["1: id 1", "2: id 2", "2: expected nothing after the array's closing ]", "3: id 3"],
    );
}

#[test]
fn a_doubled_bracket_costs_no_record() {
    check(
        "[{\"id\":1},\n[\n{\"id\":2},\n{\"id\":3}\n]",
        &[
            "1: id 1",
            "2: this record is not closed before line 3, which begins another",
            "3: id 2",
            "4: id 3",
        ],
    );
}

#[test]
fn unclosed_lines_are_given_up_one_by_one() {
    let lines = "{\"a\":[\n".repeat(1000);
    let outcome = outcome(read(lines.as_bytes()));
    let lines: Vec<&str> = outcome.lines().collect();
    assert_eq!(lines.len(), 1000);
    assert_eq!(lines[0], "1: this record is not closed before line 2, which begins another");
    assert_eq!(lines[999], "1001: the file ends inside this record (it starts at line 1000)");
}

/// An object of `len` bytes.
fn record_of(len: usize) -> String {
    let shell = r#"{"id":2,"email":""}"#.len();
    format!(r#"{{"id":2,"email":"{}"}}"#, "x".repeat(len - shell))
}

#[test]
fn a_record_may_be_as_long_as_the_bound_and_no_longer() {
    let too_long = "this record is longer than 1048576 bytes";
    for (len, second) in [
        (RECORD_BYTES_MAX, "1: id 2"),
        (RECORD_BYTES_MAX + 1, &*format!("1: {too_long}")),
        (3 * RECORD_BYTES_MAX, &format!("1: {too_long}")),
    ] {
        let text = format!("[{{\"id\":1}},{},{{\"id\":3}},\n{{\"id\":4}}]", record_of(len));
        let expected = ["1: id 1", second, "1: id 3", "2: id 4"].join("\n");
        assert_eq!(outcome(read(text.as_bytes())), expected, "{len} bytes");
        assert_eq!(outcome(read_in_steps(text.as_bytes(), 1009)), expected, "{len} bytes");
    }
}

#[test]
fn a_record_that_is_too_long_and_broken_costs_its_stretch() {
    let too_long = "1: this record is longer than 1048576 bytes";
    let long = record_of(2 * RECORD_BYTES_MAX);
    let (head, _) = long.split_at(long.len() - 1);
    for rest in ["]", "\"", ""] {
        let text = format!("{head}{rest}\n{{\"id\":3}}");
        assert_eq!(outcome(read(text.as_bytes())), format!("{too_long}\n2: id 3"), "{rest}");
    }
    assert_eq!(outcome(read(head.as_bytes())), too_long);
}

#[test]
fn a_word_that_is_too_long_costs_its_line() {
    let text = format!("{}\n{{\"id\":1}}", "x".repeat(2 * RECORD_BYTES_MAX));
    let found = format!("1: expected a record, found {}…\n2: id 1", "x".repeat(24));
    assert_eq!(outcome(read(text.as_bytes())), found);
}

#[test]
fn a_depth_bomb_costs_itself_alone() {
    let bomb = "[".repeat(400_000) + &"]".repeat(400_000);
    let text = format!("[{{\"id\":1}},{bomb},{{\"id\":2,\"a\":{bomb}}},{{\"id\":3}}]");
    let found = "1: id 1\n1: expected an object, found an array\n1: id 2\n1: id 3";
    assert_eq!(outcome(read(text.as_bytes())), found);
}

#[test]
fn an_error_of_the_stream_ends_it() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    for (text, found) in [
        ("{\"id\":1}\n", "1: id 1\n2: cannot read on: the disk is gone"),
        ("{\"id\":1}\n{\"id\":2", "1: id 1\n2: cannot read on: the disk is gone"),
        ("", "1: cannot read on: the disk is gone"),
    ] {
        assert_eq!(outcome(reader_of(text.as_bytes().chain(Failing))), found);
    }
}

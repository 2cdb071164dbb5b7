//! A panic as it is logged: where, and in words only when they were written beforehand. A message put together at run
//! time may quote what a customer said; a literal cannot.

/// Logs every panic of the process from now on, in place of printing its message.
pub fn log_without_data() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(may quote data)");
        tracing::error!(place, message, "a panic");
    }));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_logged_with_its_place_and_without_what_it_quotes() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let before = std::panic::take_hook();
        super::log_without_data();
        let phone = "+14155550142é".to_owned();
        tracing::subscriber::with_default(subscriber, || {
            for quoting in [
                std::panic::catch_unwind(|| panic!("{phone} is unheard of")).is_err(),
                // The standard library quotes the text in its message.
                std::panic::catch_unwind(|| phone[..13].len()).is_err(),
                std::panic::catch_unwind(|| panic!("nobody has thought of this")).is_err(),
            ] {
                assert!(quoting);
            }
        });
        std::panic::set_hook(before);
        let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(told.lines().count(), 3, "{told}");
        assert_eq!(told.matches("panics.rs:").count(), 3, "{told}");
        assert!(told.contains("nobody has thought of this") && !told.contains("4155550142"), "{told}");
    }
}

//! `select!` and `select_biased!`: an array of arms, one call, and a chain of comparisons.

/// Waits for one of several operations and runs the code of its arm.
///
/// - `recv(receiver) -> pattern => code`: the pattern is matched with a `Result<T, RecvError>`;
/// - `send(sender, message) -> pattern => code`: with a `Result<(), SendError<T>>`; the message is evaluated only
///   if the arm is selected;
/// - `default => code`: if all would block; `default(duration) => code`: if all do for so long.
///
/// If several operations can go on, one of them is picked at random; [`select_biased!`](crate::select_biased!)
/// picks the first. An operation on a disconnected channel can go on: it fails. Senders and receivers are
/// expressions, evaluated once, in order.
///
/// ```
/// use std::time::Duration;
/// use wyn_channel::{bounded, select, unbounded};
///
/// let (numbers, r1) = unbounded();
/// let (s2, words) = bounded(1);
/// numbers.send(1)?;
/// s2.send("full")?;
/// select! {
///     recv(r1) -> msg => assert_eq!(msg, Ok(1)),
///     send(s2, "no room") -> _ => unreachable!(),
///     default(Duration::from_secs(1)) => unreachable!(),
/// }
/// # drop(words);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It is an expression:
///
/// ```
/// use wyn_channel::{select, unbounded};
///
/// let (_s, r) = unbounded::<u32>();
/// let news = select! {
///     recv(r) -> msg => msg.ok(),
///     default => None,
/// };
/// assert_eq!(news, None);
/// ```
#[macro_export]
macro_rules! select {
    ($($tokens:tt)*) => { $crate::__wyn_channel_select!(@start false $($tokens)*) };
}

/// As [`select!`](crate::select!), but picks the first of several operations that can go on.
///
/// ```
/// use wyn_channel::{select_biased, unbounded};
///
/// let (s1, urgent) = unbounded();
/// let (s2, other) = unbounded();
/// s2.send("other")?;
/// s1.send("urgent")?;
/// select_biased! {
///     recv(urgent) -> msg => assert_eq!(msg, Ok("urgent")),
///     recv(other) -> _ => unreachable!(),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! select_biased {
    ($($tokens:tt)*) => { $crate::__wyn_channel_select!(@start true $($tokens)*) };
}

/// The steps: `@split` makes a list of arms with braced code, `@check` sorts out their arguments, `@single`
/// spares one arm the machinery, `@arms` fills the array, `@run` selects, `@complete` finds the code.
///
/// No step makes an item, and the names of locals are none that a caller gives to an item: a macro's locals are apart
/// from the caller's, but not from his constants, statics and unit structs, and items capture his names.
#[doc(hidden)]
#[macro_export]
macro_rules! __wyn_channel_select {
    (@start $biased:tt) => { ::std::compile_error!("empty `select!` block") };
    (@start $biased:tt $($tokens:tt)+) => {
        $crate::__wyn_channel_select!(@split $biased [] $($tokens)+)
    };

    // One arm at a time. Code in braces needs no comma behind it.
    (@split $biased:tt [$($arms:tt)*]) => {
        $crate::__wyn_channel_select!(@check $biased [] [] $($arms)*)
    };
    (@split $biased:tt $arms:tt default => $($rest:tt)*) => {
        $crate::__wyn_channel_select!(@split $biased $arms default() => $($rest)*)
    };
    (@split $biased:tt [$($arms:tt)*] $op:ident ($($args:tt)*) $(-> $res:pat)? => { $($code:tt)* }, $($rest:tt)*) => {
        $crate::__wyn_channel_select!(@split $biased [$($arms)* { $op ($($args)*) [$($res)?] { $($code)* } }] $($rest)*)
    };
    (@split $biased:tt [$($arms:tt)*] $op:ident ($($args:tt)*) $(-> $res:pat)? => $code:expr, $($rest:tt)*) => {
        $crate::__wyn_channel_select!(@split $biased [$($arms)* { $op ($($args)*) [$($res)?] { $code } }] $($rest)*)
    };
    (@split $biased:tt [$($arms:tt)*] $op:ident ($($args:tt)*) $(-> $res:pat)? => { $($code:tt)* } $($rest:tt)*) => {
        $crate::__wyn_channel_select!(@split $biased [$($arms)* { $op ($($args)*) [$($res)?] { $($code)* } }] $($rest)*)
    };
    (@split $biased:tt [$($arms:tt)*] $op:ident ($($args:tt)*) $(-> $res:pat)? => $code:expr) => {
        $crate::__wyn_channel_select!(@split $biased [$($arms)* { $op ($($args)*) [$($res)?] { $code } }])
    };
    (@split $biased:tt $arms:tt $($rest:tt)*) => {
        ::std::compile_error!(::std::concat!(
            "expected `recv(receiver) -> pattern => code`, `send(sender, message) -> pattern => code`, ",
            "`default => code` or `default(duration) => code`, separated by commas; found `",
            ::std::stringify!($($rest)*), "`",
        ))
    };

    (@check $biased:tt [$($arms:tt)*] $default:tt { recv ($r:expr $(,)?) [$res:pat] $code:tt } $($rest:tt)*) => {
        $crate::__wyn_channel_select!(@check $biased [$($arms)* { recv ($r) [$res] $code }] $default $($rest)*)
    };
    (@check $biased:tt [$($arms:tt)*] $default:tt { send ($s:expr, $m:expr $(,)?) [$res:pat] $code:tt } $($rest:tt)*) => {
        $crate::__wyn_channel_select!(@check $biased [$($arms)* { send ($s, $m) [$res] $code }] $default $($rest)*)
    };
    (@check $biased:tt $arms:tt [] { default ($($t:expr $(,)?)?) [] $code:tt } $($rest:tt)*) => {
        $crate::__wyn_channel_select!(@check $biased $arms [($($t)?) $code] $($rest)*)
    };
    (@check $biased:tt $arms:tt [$($default:tt)+] { default $($any:tt)* } $($rest:tt)*) => {
        ::std::compile_error!("there can be only one `default` case in a `select!` block")
    };
    (@check $biased:tt $arms:tt $default:tt { $op:ident $args:tt $res:tt $code:tt } $($rest:tt)*) => {
        ::std::compile_error!(::std::concat!(
            "invalid case `", ::std::stringify!($op), ::std::stringify!($args), "`: expected ",
            "`recv(receiver) -> pattern`, `send(sender, message) -> pattern`, `default` or `default(duration)`",
        ))
    };
    (@check $biased:tt [$($arms:tt)*] $default:tt) => {
        $crate::__wyn_channel_select!(@single $biased $default $($arms)*)
    };

    // One receive needs no list.
    (@single $biased:tt [] { recv ($r:expr) [$res:pat] $code:tt }) => {
        match $r {
            ref __wyn_receiver => {
                let __wyn_receiver: &$crate::Receiver<_> = __wyn_receiver;
                let __wyn_result = __wyn_receiver.recv();
                let $res = __wyn_result;
                $code
            }
        }
    };
    (@single $biased:tt [() $default:tt] { recv ($r:expr) [$res:pat] $code:tt }) => {
        match $r {
            ref __wyn_receiver => {
                let __wyn_receiver: &$crate::Receiver<_> = __wyn_receiver;
                match __wyn_receiver.try_recv() {
                    ::std::result::Result::Err($crate::TryRecvError::Empty) => $default,
                    __wyn_result => {
                        let __wyn_result = __wyn_result.map_err(|_| $crate::RecvError);
                        let $res = __wyn_result;
                        $code
                    }
                }
            }
        }
    };
    (@single $biased:tt [($timeout:expr) $default:tt] { recv ($r:expr) [$res:pat] $code:tt }) => {
        match $r {
            ref __wyn_receiver => {
                let __wyn_receiver: &$crate::Receiver<_> = __wyn_receiver;
                match __wyn_receiver.recv_timeout($timeout) {
                    ::std::result::Result::Err($crate::RecvTimeoutError::Timeout) => $default,
                    __wyn_result => {
                        let __wyn_result = __wyn_result.map_err(|_| $crate::RecvError);
                        let $res = __wyn_result;
                        $code
                    }
                }
            }
        }
    };
    (@single $biased:tt $default:tt $($arms:tt)*) => {{
        // The length is an expression, not an item: an item's name would hide the caller's.
        #[allow(unused_mut)]
        let mut __wyn_cases =
            [$crate::internal::Case::none(); 0usize $(+ $crate::__wyn_channel_select!(@one $arms))*];
        $crate::__wyn_channel_select!(@arms $biased $default __wyn_cases (0usize) [] $($arms)*)
    }};
    (@one $arm:tt) => { 1usize };

    // Each step has a sender or receiver of its own: the names of different expansions do not meet.
    (@arms $biased:tt $default:tt $cases:ident $at:tt [$($done:tt)*] { recv ($r:expr) $res:tt $code:tt } $($rest:tt)*) => {
        match $r {
            ref __wyn_receiver => {
                let __wyn_receiver: &$crate::Receiver<_> = __wyn_receiver;
                $cases[$at] = $crate::internal::Case::recv(__wyn_receiver, $at);
                $crate::__wyn_channel_select!(
                    @arms $biased $default $cases ($at + 1usize)
                    [$($done)* { $at recv (__wyn_receiver) $res $code }] $($rest)*
                )
            }
        }
    };
    (@arms $biased:tt $default:tt $cases:ident $at:tt [$($done:tt)*] { send ($s:expr, $m:expr) $res:tt $code:tt } $($rest:tt)*) => {
        match $s {
            ref __wyn_sender => {
                let __wyn_sender: &$crate::Sender<_> = __wyn_sender;
                $cases[$at] = $crate::internal::Case::send(__wyn_sender, $at);
                $crate::__wyn_channel_select!(
                    @arms $biased $default $cases ($at + 1usize)
                    [$($done)* { $at send (__wyn_sender, $m) $res $code }] $($rest)*
                )
            }
        }
    };
    (@arms $biased:tt $default:tt $cases:ident $at:tt [$($done:tt)*]) => {
        $crate::__wyn_channel_select!(@run $biased $default $cases $($done)*)
    };

    (@run $biased:tt [] $cases:ident $($arms:tt)*) => {{
        let __wyn_operation = $crate::internal::select(&mut $cases, $biased);
        $crate::__wyn_channel_select!(@complete __wyn_operation $($arms)*)
    }};
    (@run $biased:tt [() $default:tt] $cases:ident $($arms:tt)*) => {{
        let __wyn_selected = $crate::internal::try_select(&mut $cases, $biased);
        $crate::__wyn_channel_select!(@decide __wyn_selected $default $($arms)*)
    }};
    (@run $biased:tt [($timeout:expr) $default:tt] $cases:ident $($arms:tt)*) => {{
        let __wyn_selected = $crate::internal::select_timeout(&mut $cases, $timeout, $biased);
        $crate::__wyn_channel_select!(@decide __wyn_selected $default $($arms)*)
    }};
    // What was selected is moved in each branch, so that the code may move the ends it borrows.
    (@decide $selected:ident $default:tt $($arms:tt)*) => {
        if $selected.is_none() {
            ::std::mem::drop($selected);
            $default
        } else {
            let __wyn_operation = $selected.unwrap();
            $crate::__wyn_channel_select!(@complete __wyn_operation $($arms)*)
        }
    };

    // Side by side, not one inside the other: how deep macros nest is limited.
    (@complete $operation:ident $({ $at:tt $op:ident $ends:tt $res:tt $code:tt })*) => {
        $(if $operation.index() == $at {
            $crate::__wyn_channel_select!(@finish $operation $op $ends $res $code)
        } else)* {
            ::std::unreachable!("an operation that is not in the list was selected")
        }
    };
    (@finish $operation:ident recv ($r:ident) [$res:pat] $code:tt) => {{
        let __wyn_result = $operation.recv($r);
        let $res = __wyn_result;
        $code
    }};
    (@finish $operation:ident send ($s:ident, $m:expr) [$res:pat] $code:tt) => {{
        let __wyn_result = $operation.send($s, $m);
        let $res = __wyn_result;
        $code
    }};
}

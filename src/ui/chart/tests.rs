//! Charts drawn into small buffers: holes, thresholds, marks and axes.

use super::*;
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic, Unit};

fn series(unit: Unit, values: &[Option<f64>]) -> Series {
    let query =
        MetricQuery { role: MetricRole::Cpu, metric: MetricId::default(), statistic: Statistic::Average, period_s: 60 };
    let points = values.iter().enumerate().filter_map(|(at, value)| {
        let at = Timestamp::from_second(i64::try_from(at).unwrap() * 60).unwrap();
        value.map(|value| Point { at, value })
    });
    Series::new(query, unit, points)
}

fn chart(series: &Series, minutes: i64) -> Chart<'_> {
    let window = Window { from: Timestamp::UNIX_EPOCH, to: Timestamp::from_second(minutes * 60).unwrap() };
    Chart::bare(series, window, (Glyphs::Ascii, Markers::Ascii))
}

fn rows(chart: &Chart<'_>, width: u16, height: u16) -> Vec<String> {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    chart.draw(&mut buffer, area, &ChartStyles::default());
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect()
}

#[test]
fn a_hole_stays_a_hole() {
    let rising = series(Unit::Percent, &[Some(0.0), Some(50.0), None, None, Some(100.0), Some(100.0)]);
    let chart = chart(&rising, 6);
    assert_eq!(chart.sparkline(6), "_~  ##");
    assert_eq!(rows(&chart, 12, 3), [" 100%|    **", "     | *", "   0%|*"]);
}

#[test]
fn the_line_in_braille_does_not_cross_a_hole() {
    let gap = series(Unit::Percent, &[Some(100.0), None, None, None, None, Some(100.0)]);
    let chart = Chart { glyphs: Glyphs::Unicode, markers: Markers::Braille, ..chart(&gap, 6) };
    let rows = rows(&chart, 18, 2);
    let drawn = rows[0].chars().skip(6).filter(|sign| *sign != ' ').count();
    assert_eq!(drawn, 2, "{rows:?}");
}

#[test]
fn blocks_fill_from_below_and_zero_is_not_no_data() {
    let rising = series(Unit::Percent, &[Some(0.0), None, None, Some(50.0), Some(100.0), Some(100.0)]);
    let chart = Chart { glyphs: Glyphs::Unicode, markers: Markers::Block, ..chart(&rising, 6) };
    let rows = rows(&chart, 12, 2);
    assert_eq!([&rows[0], &rows[1]].map(|row| row.chars().skip(6).collect::<String>()), ["    ██", "▁  ███"]);
    let dots = Chart { markers: Markers::Dot, ..chart };
    assert!(self::rows(&dots, 12, 2)[0].ends_with("••"));
}

#[test]
fn threshold_and_marks_are_where_they_belong() {
    let flat = series(Unit::Percent, &[Some(20.0); 10]);
    let at = [Timestamp::from_second(300).unwrap()];
    let early = [Timestamp::from_second(-60).unwrap()];
    let chart = Chart { threshold: Some(50.0), deploys: &at, kills: &early, ..chart(&flat, 10) };
    let rows = rows(&chart, 16, 5);
    assert_eq!(rows[2], "  50%|----------");
    assert_eq!(&rows[4][6..], "     D", "a kill before the window is not drawn");
}

#[test]
fn filled_columns_do_not_hide_the_threshold_they_are_above() {
    let full = series(Unit::Percent, &[Some(10.0), Some(10.0), Some(100.0), Some(100.0)]);
    let filled = Chart { glyphs: Glyphs::Unicode, markers: Markers::Block, ..chart(&full, 4) };
    let rows = rows(&Chart { threshold: Some(50.0), ..filled }, 12, 5);
    assert!(rows[2].ends_with("╌╌╌╌╌╌"), "{rows:?}");
    assert!(rows[1].ends_with('█') && rows[3].ends_with('█'), "{rows:?}");
}

#[test]
fn the_axis_ends_above_everything() {
    let requests = series(Unit::Count, &[Some(130.0), Some(412.0)]);
    assert!((chart(&requests, 2).top() - 500.0).abs() < f64::EPSILON);
    let over = series(Unit::Percent, &[Some(130.0)]);
    assert!((chart(&over, 2).top() - 200.0).abs() < f64::EPSILON);
    let empty = series(Unit::Count, &[]);
    assert!((chart(&empty, 2).top() - 1.0).abs() < f64::EPSILON);
    assert_eq!(chart(&empty, 2).sparkline(3), "   ");
}

#[test]
fn the_period_before_and_the_instant_pointed_at_lie_under_the_curve() {
    let flat = series(Unit::Percent, &[Some(100.0); 10]);
    let before: Vec<Point> =
        (0..10).map(|n| Point { at: Timestamp::from_second(n * 60).unwrap(), value: 0.0 }).collect();
    let chart = Chart { baseline: &before, cursor: Some(Timestamp::from_second(300).unwrap()), ..chart(&flat, 10) };
    let rows = rows(&chart, 16, 3);
    assert_eq!(rows, [" 100%|**********", "     |     |", "   0%|.........."]);
    let high = Point { at: Timestamp::UNIX_EPOCH, value: 130.0 };
    let chart = Chart { baseline: &[high], cursor: None, ..chart };
    assert!((chart.top() - 200.0).abs() < f64::EPSILON, "the axis holds the period before, too");
}

#[test]
fn days_that_are_alike_take_turns_and_one_that_is_as_today_shows_through() {
    let flat = series(Unit::Percent, &[Some(100.0); 12]);
    let minute = |n: i64| Timestamp::from_second(n * 60).unwrap();
    let day = |sign, value, minutes: std::ops::Range<i64>| Overlay {
        sign,
        days: 1,
        points: minutes.map(|n| Point { at: minute(n), value }).collect(),
    };
    let days = [day("1", 50.0, 0..12), day("7", 50.0, 0..6)];
    let chart = Chart { days: &days, ..chart(&flat, 12) };
    assert_eq!(rows(&chart, 18, 3), [" 100%|************", "     |1717171 1 1", "   0%|"]);
    let hidden = [day("2", 100.0, 0..12)];
    assert_eq!(rows(&Chart { days: &hidden, ..chart }, 18, 3)[0], " 100%|2**2**2**2**");
    let high = [day("w", 130.0, 0..12)];
    assert!((Chart { days: &high, ..chart }.top() - 200.0).abs() < f64::EPSILON, "the axis holds the days, too");
    let later = [day("w", 130.0, 12..20)];
    assert!((Chart { days: &later, ..chart }.top() - 100.0).abs() < f64::EPSILON, "but not what is beyond the window");
}

#[test]
fn the_present_is_marked_off_beside_the_curve_whatever_it_is_drawn_with() {
    let values: Vec<Option<f64>> = (0..10).map(|n| Some(90.0 - f64::from(n) * 7.0)).collect();
    let falling = series(Unit::Percent, &values);
    let present = Some(Timestamp::from_second(600).unwrap());
    for (glyphs, markers, sign) in [
        (Glyphs::Unicode, Markers::Braille, '◂'),
        (Glyphs::Unicode, Markers::Block, '◂'),
        (Glyphs::Unicode, Markers::Dot, '◂'),
        (Glyphs::Ascii, Markers::Ascii, '<'),
    ] {
        let chart = Chart { present, glyphs, markers, ..chart(&falling, 20) };
        let drawn = rows(&chart, 26, 5);
        let (row, column) = drawn
            .iter()
            .enumerate()
            .find_map(|(row, text)| Some((row, text.chars().position(|letter| letter == sign)?)))
            .unwrap();
        // Twenty columns of a minute each behind the axis: minute 10 has begun, what follows is to come.
        assert_eq!(column, 6 + 11, "{drawn:?}");
        let before = drawn[row].chars().nth(6 + 9).unwrap();
        assert!(before != ' ' && before != sign, "it stands at the height of the newest value: {drawn:?}");
        assert!(drawn[row].ends_with(sign), "{drawn:?}");
        assert_eq!(chart.sparkline(20).chars().position(|letter| letter == sign), Some(11));
    }
}

#[test]
fn a_curve_that_ends_early_leaves_a_hole_before_the_present_and_a_window_up_to_it_needs_no_mark() {
    let silent = series(Unit::Percent, &[Some(50.0); 4]);
    let present = Some(Timestamp::from_second(600).unwrap());
    let marked = Chart { present, ..chart(&silent, 20) };
    assert_eq!(marked.sparkline(20), "~~~~       <        ");
    let whole = Chart { present, ..chart(&silent, 10) };
    assert_eq!(whole.sparkline(10), "~~~~      ");
    let almost = Chart { present, ..chart(&silent, 11) };
    assert_eq!(almost.sparkline(11), "~~~~       ", "nothing is left to mark off");
}

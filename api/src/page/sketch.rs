//! The route of a lot as a small drawing: open points, to scale, without a map that would have to be fetched.

use maud::{Markup, html};
use provenance::value::Coordinates;

/// The drawing's size in its own units.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;

/// Room for dots and names at the edges.
const MARGIN_X: f64 = 90.0;
const MARGIN_Y: f64 = 48.0;

/// Mean radius of the Earth (IUGG).
const EARTH_RADIUS_KM: f64 = 6371.0;

/// Open points lie on a grid of about a kilometre, so what is nearer is one place to the eye.
const MIN_SPAN_DEGREES: f64 = 0.05;

/// Names longer than this run into each other.
const MAX_LABEL_CHARS: usize = 26;

/// A place on the way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stop {
    /// What it is called.
    pub(crate) name: String,
    /// Where it is, to about a kilometre.
    pub(crate) point: Coordinates,
}

/// The length of the way as the crow flies, in kilometres.
pub(crate) fn length_km(stops: &[Stop]) -> f64 {
    stops.windows(2).map(|pair| distance_km(pair[0].point, pair[1].point)).sum()
}

/// The drawing; nothing where there are not two places.
pub(crate) fn draw(stops: &[Stop]) -> Option<Markup> {
    let mut distinct: Vec<&Stop> = Vec::new();
    for stop in stops {
        if distinct.last().is_none_or(|last| last.point != stop.point) {
            distinct.push(stop);
        }
    }
    if distinct.len() < 2 {
        return None;
    }
    let projected = project(&distinct);
    let label = |index: usize| -> (f64, &'static str) {
        match projected[index].0 {
            x if x < WIDTH / 3.0 => (x - 10.0, "start"),
            x if x > WIDTH * 2.0 / 3.0 => (x + 10.0, "end"),
            x => (x, "middle"),
        }
    };
    let names: Vec<String> = distinct.iter().map(|stop| shortened(&stop.name)).collect();
    let described = format!("Route as the crow flies: {}", names.join(", then "));
    Some(html! {
        svg.sketch viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(described) xmlns="http://www.w3.org/2000/svg" {
            @for line in 1..8 {
                line.grid x1=(f64::from(line) * WIDTH / 8.0) y1="0" x2=(f64::from(line) * WIDTH / 8.0) y2=(HEIGHT) {}
            }
            @for line in 1..4 {
                line.grid x1="0" y1=(f64::from(line) * HEIGHT / 4.0) x2=(WIDTH) y2=(f64::from(line) * HEIGHT / 4.0) {}
            }
            @for pair in projected.windows(2) {
                path.way d=(arc(pair[0], pair[1])) {}
            }
            @for (index, (x, y)) in projected.iter().enumerate() {
                @let last = index + 1 == projected.len();
                circle.dot.end[last] cx=(round(*x)) cy=(round(*y)) r=(if last { 9 } else { 6 }) {}
                // A place that is passed twice is named once.
                @if distinct[..index].iter().all(|earlier| earlier.point != distinct[index].point) {
                    @let (label_x, anchor) = label(index);
                    text.label x=(round(label_x)) y=(round(if *y < HEIGHT / 2.0 { y - 18.0 } else { y + 32.0 })) text-anchor=(anchor) {
                        (names[index])
                    }
                }
            }
        }
    })
}

/// Equirectangular around the middle, the same scale in both directions, north up.
fn project(stops: &[&Stop]) -> Vec<(f64, f64)> {
    let degrees: Vec<(f64, f64)> = stops.iter().map(|stop| stop.point.degrees()).collect();
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let (south, north) = range(&mut degrees.iter().map(|d| d.0));
    let (west, east) = range(&mut degrees.iter().map(|d| d.1));
    let (middle_latitude, middle_longitude) = (f64::midpoint(south, north), f64::midpoint(west, east));
    // A degree of longitude is shorter away from the equator; at a pole it is not nothing.
    let shrink = middle_latitude.to_radians().cos().max(0.05);
    let span_x = ((east - west) * shrink).max(MIN_SPAN_DEGREES);
    let span_y = (north - south).max(MIN_SPAN_DEGREES);
    let scale = ((WIDTH - 2.0 * MARGIN_X) / span_x).min((HEIGHT - 2.0 * MARGIN_Y) / span_y);
    let place = |(latitude, longitude): &(f64, f64)| {
        let x = WIDTH / 2.0 + (longitude - middle_longitude) * shrink * scale;
        (x, HEIGHT / 2.0 - (latitude - middle_latitude) * scale)
    };
    degrees.iter().map(place).collect()
}

/// A gentle curve, so that a way back does not cover the way there.
fn arc((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> String {
    let (bend_x, bend_y) = ((y1 - y2) * 0.16, (x2 - x1) * 0.16);
    let (mid_x, mid_y) = (f64::midpoint(x1, x2) - bend_x, f64::midpoint(y1, y2) - bend_y);
    format!("M{} {}Q{} {} {} {}", round(x1), round(y1), round(mid_x), round(mid_y), round(x2), round(y2))
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= MAX_LABEL_CHARS {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(MAX_LABEL_CHARS - 1).collect();
    short.truncate(short.trim_end().len());
    short + "…"
}

/// The haversine formula.
fn distance_km(a: Coordinates, b: Coordinates) -> f64 {
    let ((lat_a, lon_a), (lat_b, lon_b)) = (a.degrees(), b.degrees());
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let h = half(lat_a, lat_b) + lat_a.to_radians().cos() * lat_b.to_radians().cos() * half(lon_a, lon_b);
    2.0 * EARTH_RADIUS_KM * h.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(name: &str, latitude: f64, longitude: f64) -> Stop {
        Stop { name: name.to_owned(), point: Coordinates::from_degrees(latitude, longitude).unwrap() }
    }

    #[test]
    fn distances_are_those_of_the_earth() {
        let km = length_km(&[stop("Paris", 48.86, 2.35), stop("Lyon", 45.76, 4.84)]);
        assert!((km - 391.5).abs() < 2.0, "{km}");
        assert!(length_km(&[stop("a", 0.0, 0.0), stop("b", 0.0, 180.0)]).is_finite());
    }

    #[test]
    fn every_place_is_inside_the_drawing() {
        let ways = [
            vec![stop("a", 89.9, -179.9), stop("b", -89.9, 179.9)],
            vec![stop("a", 45.0, 5.0), stop("b", 45.01, 5.0), stop("c", 45.0, 5.0)],
            vec![stop("a", 0.0, -180.0), stop("b", 0.0, 180.0)],
        ];
        for way in ways {
            for (x, y) in project(&way.iter().collect::<Vec<_>>()) {
                assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{x} {y}");
            }
        }
    }

    #[test]
    fn names_are_escaped_and_one_place_needs_no_drawing() {
        let drawing = draw(&[stop("<script>&", 1.0, 1.0), stop("b", 2.0, 2.0)]).unwrap().into_string();
        assert!(drawing.contains("&lt;script&gt;&amp;") && !drawing.contains("<script>"));
        assert!(draw(&[stop("a", 1.0, 1.0), stop("b", 1.0, 1.0)]).is_none());
    }
}

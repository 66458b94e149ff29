package report

import (
	"fmt"
	"image/color"
	"io"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"icap/bench/internal/measure"
	"icap/bench/internal/peer"
	"icap/bench/internal/stats"
)

// Draw writes an SVG of what a packet costs in each program, as a ratio to
// tcpdump: a dot for each load at the median, a line from the least to the
// most of the rounds. The axis is logarithmic, since the programs are far
// apart.
func (r *Report) Draw(w io.Writer) error {
	names := r.others()
	c := newChart(names)
	for i := range r.Series {
		s := &r.Series[i]
		if s.Job.Rate == 0 || s.Job.Count == 0 {
			continue
		}
		if d := dotsOf(s, names, c.loads); len(d.XYs) > 0 {
			if err := c.add(d, s.Job.String()); err != nil {
				return err
			}
		}
	}
	if c.loads == 0 {
		return fmt.Errorf("nothing to draw: no program was measured beside %s", peer.Tcpdump)
	}
	return c.write(w, vg.Length(4+1.4*float64(len(names)))*vg.Centimeter)
}

// others are the names of the peers that are compared, the last one first,
// since the axis begins at the bottom.
func (r *Report) others() []string {
	var names []string
	for i := range r.Peers {
		if name := r.Peers[i].Name; name != peer.Tcpdump {
			names = append(names, name)
		}
	}
	slices.Reverse(names)
	return names
}

// A chart is a plot with its legend beside it.
type chart struct {
	plot   *plot.Plot
	legend plot.Legend
	rows   int // programs
	loads  int // so far
}

func newChart(names []string) *chart {
	p := plot.New()
	p.BackgroundColor = color.White
	p.Title.Text = "CPU time per packet, as a ratio to tcpdump -B 64 MiB"
	p.X.Label.Text = "median and min-max of the rounds; less is better"
	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker = ratioTicks{}
	p.NominalY(names...)
	grid := plotter.NewGrid()
	grid.Horizontal.Width = 0
	p.Add(grid)
	c := &chart{plot: p, legend: plot.NewLegend(), rows: len(names)}
	for _, f := range []*font.Font{
		&p.Title.TextStyle.Font, &p.X.Label.TextStyle.Font, &p.X.Tick.Label.Font,
		&p.Y.Tick.Label.Font, &c.legend.TextStyle.Font,
	} {
		f.Variant = "Sans"
	}
	c.legend.Top = true
	c.legend.Left = true
	return c
}

func (c *chart) add(d dots, label string) error {
	points, err := plotter.NewScatter(d.XYs)
	if err != nil {
		return err
	}
	points.GlyphStyle = draw.GlyphStyle{
		Color:  plotutil.Color(c.loads),
		Radius: vg.Points(3),
		Shape:  plotutil.Shape(c.loads),
	}
	bars, err := plotter.NewXErrorBars(d)
	if err != nil {
		return err
	}
	bars.Color = plotutil.Color(c.loads)
	c.plot.Add(bars, points)
	c.legend.Add(label, points)
	c.loads++
	return nil
}

func (c *chart) write(w io.Writer, height vg.Length) error {
	const edge = 0.3 * vg.Centimeter
	const width, beside = 26 * vg.Centimeter, 6.5 * vg.Centimeter
	const margin = 1.25 // as a factor
	c.plot.X.Min, c.plot.X.Max = c.plot.X.Min/margin, max(c.plot.X.Max, 1)*margin
	c.plot.Y.Min, c.plot.Y.Max = -0.5, float64(c.rows)-0.5
	canvas := vgsvg.New(width, height)
	all := draw.New(canvas)
	all.SetColor(color.White)
	all.Fill(all.Rectangle.Path())
	c.plot.Draw(draw.Crop(all, edge, -beside, edge, -edge))
	c.legend.Draw(draw.Crop(all, width-beside, 0, 0, -vg.Centimeter))
	_, err := canvas.WriteTo(w)
	return err
}

// dots are the ratios of one load.
type dots struct {
	plotter.XYs
	plotter.XErrors
}

// dotsOf moves the dots of each load a little, so that they do not hide each
// other.
func dotsOf(s *measure.Series, names []string, place int) dots {
	const apart = 0.09
	var d dots
	for y, name := range names {
		values := pairs(s, name, peer.Tcpdump)
		if len(values) == 0 {
			continue
		}
		v := stats.Of(values)
		d.XYs = append(d.XYs, plotter.XY{X: v.Median, Y: float64(y) + 0.35 - apart*float64(place)})
		d.XErrors = append(d.XErrors, struct{ Low, High float64 }{v.Median - v.Min, v.Max - v.Median})
	}
	return d
}

// ratioTicks are ticks that people read off: 0.1, 0.2, 0.5, 1, 2, 5, ...
type ratioTicks struct{}

// Ticks is what gonum's plot asks for.
func (ratioTicks) Ticks(low, high float64) []plot.Tick {
	var all []plot.Tick
	for decade := 0.001; decade <= 1000; decade *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if v := decade * step; v >= low && v <= high {
				all = append(all, plot.Tick{Value: v, Label: fmt.Sprintf("%.3g", v)})
			}
		}
	}
	return all
}

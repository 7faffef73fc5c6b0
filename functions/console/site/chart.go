package site

import (
	"slices"
	"strconv"
)

// chart is a bar chart with stacked columns, which the template "chart" draws. Its lengths are in units of the drawing.
type chart struct {
	Legend  []legend // names of the parts, from the bottom; empty: each column has one part
	Percent bool     // the columns are shares of 100; one without parts has no share
	columns []column
}

// legend names a part of the columns.
type legend struct {
	Class, Name string
}

type column struct {
	label string
	parts []int
}

// add adds a column on the right.
func (c *chart) add(label string, parts ...int) { c.columns = append(c.columns, column{label, parts}) }

// The drawing: a field of columns between a margin on the left for the scale and one below for the labels.
const (
	chartWidth  = 600
	chartHeight = 240
	chartLeft   = 34
	chartTop    = 22
	chartBase   = 210 // the bottom of the columns
)

// bar is a part of a column.
type bar struct {
	Class               string
	X, Y, Width, Height int
}

// mark is a text in the drawing.
type mark struct {
	Text  string
	X, Y  int
	Spare bool // left out on narrow screens
}

func (c chart) Width() int  { return chartWidth }
func (c chart) Height() int { return chartHeight }
func (c chart) Left() int   { return chartLeft }

// Empty reports whether there is nothing to draw.
func (c chart) Empty() bool {
	if c.Percent {
		return !slices.ContainsFunc(c.columns, func(col column) bool { return len(col.parts) > 0 })
	}
	return c.highest() == 0
}

func (c chart) highest() (n int) {
	if c.Percent {
		return 100
	}
	for _, col := range c.columns {
		n = max(n, sum(col.parts))
	}
	return n
}

func sum(parts []int) (n int) {
	for _, p := range parts {
		n += p
	}
	return n
}

// step returns the interval of the scale: 1, 2 or 5 times a power of ten, so that there are at most five.
func (c chart) step() int {
	for power := 1; ; power *= 10 {
		for _, times := range []int{1, 2, 5} {
			if step := times * power; c.highest() <= 5*step {
				return step
			}
		}
	}
}

// top returns the number at the top of the scale.
func (c chart) top() int {
	step := c.step()
	return max(step, (c.highest()+step-1)/step*step)
}

func (c chart) y(n int) int { return chartBase - (chartBase-chartTop)*n/c.top() }

// pitch returns the width of a column and its gaps.
func (c chart) pitch() int { return (chartWidth - chartLeft) / max(1, len(c.columns)) }

// center returns the middle of a column.
func (c chart) center(i int) int { return chartLeft + i*c.pitch() + c.pitch()/2 }

// Scale returns the numbers of the scale, each with a line across.
func (c chart) Scale() (marks []mark) {
	for n := 0; n <= c.top(); n += c.step() {
		marks = append(marks, mark{Text: strconv.Itoa(n), X: chartLeft - 6, Y: c.y(n)})
	}
	return marks
}

// text is the number on a column. The scale has no room for the unit.
func (c chart) text(n int) string {
	if c.Percent {
		return strconv.Itoa(n) + "%"
	}
	return strconv.Itoa(n)
}

// Labels returns the texts below the columns.
func (c chart) Labels() (marks []mark) {
	for i, col := range c.columns {
		marks = append(marks, mark{col.label, c.center(i), chartBase + 20, i%2 == 1})
	}
	return marks
}

// Sums returns the totals on top of the columns: also 0 percent, which is not the same as no share.
func (c chart) Sums() (marks []mark) {
	for i, col := range c.columns {
		if n := sum(col.parts); n > 0 || c.Percent && len(col.parts) > 0 {
			marks = append(marks, mark{Text: c.text(n), X: c.center(i), Y: c.y(n) - 5})
		}
	}
	return marks
}

// Bars returns the parts of all columns.
func (c chart) Bars() (bars []bar) {
	width := c.pitch() * 3 / 5
	for i, col := range c.columns {
		below := 0
		for part, n := range col.parts {
			if n == 0 {
				continue
			}
			class := "part"
			if len(c.Legend) > 0 {
				class += " " + c.Legend[part].Class
			}
			y := c.y(below + n)
			bars = append(bars, bar{class, chartLeft + i*c.pitch() + (c.pitch()-width)/2, y, width, c.y(below) - y})
			below += n
		}
	}
	return bars
}

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/mirrorgate/mirrorgate/bench"
)

const (
	plotWidth = 24 * vg.Centimeter
	rowHeight = 9 * vg.Centimeter
)

// savePlot draws the CPU time for each request against the size of each sweep,
// as PNG or SVG, which the end of the file's name decides.
func savePlot(name string, all []bench.Sweep) error {
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	height := vg.Length(rowsOf(all)) * rowHeight
	switch ext := filepath.Ext(name); ext {
	case ".svg":
		canvas = vgsvg.New(plotWidth, height)
	case ".png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.New(plotWidth, height)}
	default:
		return fmt.Errorf("cannot plot into %s: the name must end in .svg or .png", name)
	}
	if err := drawSweeps(canvas, all); err != nil {
		return fmt.Errorf("cannot plot: %w", err)
	}
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("cannot plot: %w", err)
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return fmt.Errorf("cannot plot: %w", err)
	}
	return f.Close()
}

func rowsOf(all []bench.Sweep) int { return (len(all) + 1) / 2 }

// drawSweeps puts two plots in each row.
func drawSweeps(canvas vg.CanvasSizer, all []bench.Sweep) error {
	tiles := draw.Tiles{
		Rows: rowsOf(all), Cols: 2,
		PadX: vg.Centimeter, PadY: vg.Centimeter,
		PadTop: vg.Centimeter / 2, PadBottom: vg.Centimeter / 2, PadLeft: vg.Centimeter / 2, PadRight: vg.Centimeter / 2,
	}
	page := draw.New(canvas)
	for i, s := range all {
		p, err := plotSweep(s)
		if err != nil {
			return err
		}
		p.Draw(tiles.At(page, i%2, i/2))
	}
	return nil
}

// plotSweep sets the sizes at equal distances, for they grow by factors.
func plotSweep(s bench.Sweep) (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text = s.Name
	p.Y.Label.Text = "CPU µs for each request"
	p.Y.Min = 0
	var points plotter.XYs
	var labels []string
	for i, at := range s.Points {
		points = append(points, plotter.XY{X: float64(i), Y: at.Report.CPUPerAcked})
		labels = append(labels, strconv.Itoa(at.Size))
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return nil, err
	}
	p.Add(plotter.NewGrid(), line, dots)
	p.NominalX(labels...)
	p.Y.Max *= 1.1
	return p, nil
}

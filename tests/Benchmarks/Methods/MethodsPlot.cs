using System.Globalization;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Graft.Benchmarks.Methods;

/// <summary>The comparison as pictures.</summary>
internal static class MethodsPlot
{
    private const double Width = 900, Height = 500, LetterWidth = 6, Floor = -0.06, Ceiling = 1.08;

    private static readonly OxyColor Ink = OxyColor.FromRgb(0x33, 0x3d, 0x4b), Blue = OxyColor.FromRgb(0x2f, 0x6f, 0xde), Red = OxyColor.FromRgb(0xc9, 0x45, 0x3b);

    /// <summary>Share of right answers over trainable parameters.</summary>
    public static string Gain(IReadOnlyList<MethodResult> results)
    {
        var plot = New("Right answers, by what trains", left: 70);
        var (least, most) = (results.Min(r => r["trainable"]) / 2, results.Max(r => r["trainable"]) * 6);
        plot.Axes.Add(new LogarithmicAxis
        {
            Position = AxisPosition.Bottom, Title = "trainable parameters", MajorGridlineStyle = LineStyle.Dot, Minimum = least, Maximum = most,
            LabelFormatter = v => Decade(v), MinorTickSize = 0, AxisTickToLabelDistance = 9,
        });
        plot.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Left, Title = "exact match", Minimum = Floor, Maximum = Ceiling, MajorStep = 0.2,
            MajorGridlineStyle = LineStyle.Dot, LabelFormatter = v => v.ToString("p0", CultureInfo.InvariantCulture),
        });
        var points = new ScatterSeries { MarkerType = MarkerType.Circle, MarkerSize = 4.5, MarkerFill = Blue };
        foreach (var r in results) points.Points.Add(new ScatterPoint(r["trainable"], r["exact"]));

        // In pixels of an area that is about the plot's.
        const double wide = Width - 110, high = Height - 110;
        var decades = Math.Log10(most / least);
        (double X, double Y) Pixel(MethodResult r) =>
            (Math.Log10(r["trainable"] / least) / decades * wide, (Ceiling - r["exact"]) / (Ceiling - Floor) * high);
        var labels = LabelLayout.Place([.. results.Select(Pixel)], [.. results.Select(r => LetterWidth * r.Method.Name.Length)], wide, high);
        DataPoint Value(double x, double y) => new(least * Math.Pow(10, x / wide * decades), Ceiling - y / high * (Ceiling - Floor));
        foreach (var (r, (x, y)) in results.Zip(labels))
        {
            var at = Value(x, y);
            var near = Pixel(r).X > x ? Value(x + LetterWidth * r.Method.Name.Length, y) : at;
            var line = new LineSeries { Color = OxyColor.FromAColor(110, Ink), StrokeThickness = 0.8 };
            line.Points.Add(new DataPoint(r["trainable"], r["exact"]));
            line.Points.Add(near);
            plot.Series.Add(line);
            plot.Annotations.Add(new TextAnnotation
            {
                Text = r.Method.Name, TextPosition = at, StrokeThickness = 0, FontSize = 11, TextColor = Ink, Padding = new OxyThickness(2, 0, 2, 0),
                TextHorizontalAlignment = HorizontalAlignment.Left, TextVerticalAlignment = VerticalAlignment.Middle,
            });
        }
        plot.Series.Add(points);
        return Svg(plot);
    }

    /// <summary>Perplexity on general text, as a multiple of the base's.</summary>
    public static string Forgotten(IReadOnlyList<MethodResult> results)
    {
        var plot = New("Perplexity on the old answers while tuned, times the base's", left: 170);
        var names = new CategoryAxis { Position = AxisPosition.Left, GapWidth = 0.4 };
        var bars = new BarSeries { StrokeThickness = 0 };
        foreach (var r in results.OrderByDescending(Ratio))
        {
            names.Labels.Add(r.Method.Name);
            bars.Items.Add(new BarItem(Ratio(r)) { Color = Ratio(r) > 10 ? Red : Blue });
        }
        plot.Axes.Add(names);
        plot.Axes.Add(new LogarithmicAxis
        {
            Position = AxisPosition.Bottom, Minimum = 0.8, MajorGridlineStyle = LineStyle.Dot, Title = "1: nothing forgotten",
            LabelFormatter = v => Decade(v), MinorTickSize = 0, AxisTickToLabelDistance = 9,
        });
        bars.BaseValue = 0.8;
        plot.Series.Add(bars);
        return Svg(plot);
    }

    private static double Ratio(MethodResult r) => r["general"] / r["general_before"];

    /// <summary>A power of ten as text; what lies between is too near to it for words.</summary>
    private static string Decade(double value) =>
        Math.Abs(Math.Log10(value) - Math.Round(Math.Log10(value))) < 1e-6 ? value.ToString("n0", CultureInfo.InvariantCulture) : "";

    /// <param name="left">Room for what the left axis says; the exporter measures text too small.</param>
    private static PlotModel New(string title, double left) => new()
    {
        Title = title, TitleFontSize = 15, TitleFontWeight = FontWeights.Normal, DefaultFont = "sans-serif", TextColor = Ink, TitleColor = Ink,
        PlotAreaBorderThickness = new OxyThickness(1, 0, 0, 1), PlotAreaBorderColor = Ink, Background = OxyColors.White, Padding = new OxyThickness(10, 22, 10, 10),
        PlotMargins = new OxyThickness(left, 14, 30, 52),
    };

    private static string Svg(PlotModel plot) => new SvgExporter { Width = Width, Height = Height }.ExportToString(plot);
}

using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Graft.Benchmarks.Methods;

/// <summary>The comparison as pictures.</summary>
internal static class MethodsPlot
{
    private static readonly OxyColor Ink = OxyColor.FromRgb(0x33, 0x3d, 0x4b), Blue = OxyColor.FromRgb(0x2f, 0x6f, 0xde), Red = OxyColor.FromRgb(0xc9, 0x45, 0x3b);

    /// <summary>Share of right answers over trainable parameters.</summary>
    public static string Gain(IReadOnlyList<MethodResult> results)
    {
        var plot = New("Right answers, by what trains");
        plot.Axes.Add(new LogarithmicAxis
        {
            Position = AxisPosition.Bottom, Title = "trainable parameters", MajorGridlineStyle = LineStyle.Dot,
            Minimum = results.Min(r => r["trainable"]) / 2, Maximum = results.Max(r => r["trainable"]) * 6,
        });
        plot.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Left, Title = "exact match", Minimum = -0.04, Maximum = 1.08, MajorGridlineStyle = LineStyle.Dot, LabelFormatter = v => $"{v:p0}",
        });
        var points = new ScatterSeries { MarkerType = MarkerType.Circle, MarkerSize = 5, MarkerFill = Blue };
        foreach (var r in results) points.Points.Add(new ScatterPoint(r["trainable"], r["exact"]));
        plot.Series.Add(points);
        foreach (var (r, above) in Spread(results))
            plot.Annotations.Add(new TextAnnotation
            {
                Text = r.Method.Name, TextPosition = new DataPoint(r["trainable"], r["exact"] + above), StrokeThickness = 0, FontSize = 11, TextColor = Ink,
                TextHorizontalAlignment = HorizontalAlignment.Left, TextVerticalAlignment = VerticalAlignment.Middle, Padding = new OxyThickness(8, 0, 0, 0),
            });
        return Svg(plot, 900, 460);
    }

    /// <summary>Perplexity on general text, as a multiple of the base's.</summary>
    public static string Forgotten(IReadOnlyList<MethodResult> results)
    {
        var plot = New("Perplexity on general text, times the base's");
        var names = new CategoryAxis { Position = AxisPosition.Left, GapWidth = 0.4 };
        var bars = new BarSeries { StrokeThickness = 0 };
        foreach (var r in results.OrderByDescending(Ratio))
        {
            names.Labels.Add(r.Method.Name);
            bars.Items.Add(new BarItem(Ratio(r)) { Color = Ratio(r) > 1.5 ? Red : Blue });
        }
        plot.Axes.Add(names);
        plot.Axes.Add(new LogarithmicAxis { Position = AxisPosition.Bottom, Minimum = 0.8, MajorGridlineStyle = LineStyle.Dot, Title = "1: nothing forgotten" });
        bars.BaseValue = 0.8;
        plot.Series.Add(bars);
        return Svg(plot, 900, 460);
    }

    private static double Ratio(MethodResult r) => r["general"] / r["general_before"];

    /// <summary>Labels of near points, moved apart.</summary>
    private static IEnumerable<(MethodResult Result, double Above)> Spread(IReadOnlyList<MethodResult> results)
    {
        var placed = new List<(double X, double Y)>();
        foreach (var r in results.OrderByDescending(r => r["exact"]))
        {
            var (x, y) = (Math.Log10(r["trainable"]), r["exact"]);
            while (placed.Exists(p => Math.Abs(p.X - x) < 0.75 && Math.Abs(p.Y - y) < 0.045)) y -= 0.045;
            placed.Add((x, y));
            yield return (r, y - r["exact"]);
        }
    }

    private static PlotModel New(string title) => new()
    {
        Title = title, TitleFontSize = 15, TitleFontWeight = FontWeights.Normal, DefaultFont = "sans-serif", TextColor = Ink, TitleColor = Ink,
        PlotAreaBorderThickness = new OxyThickness(1, 0, 0, 1), PlotAreaBorderColor = Ink, Background = OxyColors.White, Padding = new OxyThickness(10, 10, 24, 10),
    };

    private static string Svg(PlotModel plot, double width, double height) => new SvgExporter { Width = width, Height = height }.ExportToString(plot);
}

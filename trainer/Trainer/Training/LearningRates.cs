using Graft.Contract;

namespace Graft.Trainer.Training;

/// <summary>
/// The learning rate of every step: a rise over the warm-up, then along a cosine or a line to zero, or level. The first step
/// already moves (1/W of the peak after a warm-up of W), and the last one still does.
/// </summary>
internal sealed class LearningRates
{
    private readonly double peak;
    private readonly int warmup, steps;
    private readonly Func<double, double> fall;

    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="steps">Optimizer steps of the whole run.</param>
    public LearningRates(Schedule schedule, double peak, int steps)
    {
        (this.peak, this.steps) = (peak, steps);
        var (rise, shape) = schedule switch
        {
            { Cosine: { } c } => (c, (Func<double, double>)(x => 0.5 * (1 + Math.Cos(Math.PI * x)))),
            { Linear: { } l } => (l, x => 1 - x),
            { Constant: { } k } => (k, _ => 1),
            _ => throw new ArgumentException("no member of the schedule is set", nameof(schedule)),
        };
        fall = shape;
        warmup = Math.Min(steps, rise.WarmupSteps ?? (int)Math.Round(steps * (rise.WarmupFraction ?? 0)));
    }

    /// <param name="step">From 0.</param>
    public double At(int step) => step < warmup
        ? peak * (step + 1) / warmup
        : peak * fall((double)(step - warmup) / Math.Max(1, steps - warmup));
}

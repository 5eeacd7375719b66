using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// An LSTM (Hochreiter and Schmidhuber 1997) over the virtual tokens in both directions, and linear layers on its states. Its gates are
/// torch's, in torch's order: input, forget, cell, output.
/// </summary>
internal sealed class LstmPromptEncoder : PromptEncoder
{
    private readonly List<(Direction Forward, Direction Backward)> layers = [];
    private readonly Perceptron head;
    private readonly Dropout? dropout;

    /// <param name="size">C: of a virtual token.</param>
    /// <param name="hidden">H: of a state in one direction.</param>
    /// <param name="dropout">Between the layers, while training.</param>
    public LstmPromptEncoder(AdapterTensors tensors, LstmEncoder options, string name, int size, int hidden, Dropout? dropout)
    {
        this.dropout = dropout;
        for (var i = 0; i < options.Layers; i++)
        {
            var width = i == 0 ? size : 2 * hidden;
            Direction Take(string suffix) => new(tensors, $"{name}.lstm_head", $"_l{i}{suffix}", width, hidden);
            layers.Add((Take(""), Take("_reverse")));
        }
        head = new Perceptron(tensors, $"{name}.mlp_head", x => x.relu(), 2 * hidden, 2 * hidden, size);
    }

    public override Tensor Run(Tensor places)
    {
        var x = places;
        for (var i = 0; i < layers.Count; i++)
        {
            if (i > 0 && dropout is { Active: true }) x = dropout.Apply(x);
            x = cat([layers[i].Forward.Run(x, backwards: false), layers[i].Backward.Run(x, backwards: true)], 1);   // (P, 2 H)
        }
        return head.Run(x);
    }

    public override void Dispose()
    {
        foreach (var (forward, backward) in layers)
        {
            forward.Dispose();
            backward.Dispose();
        }
        head.Dispose();
    }

    /// <summary>One layer in one direction.</summary>
    private sealed class Direction : IDisposable
    {
        private readonly Tensor fromInput, fromState, inputBias, stateBias;   // (4 H, in), (4 H, H), (4 H), (4 H)

        public Direction(AdapterTensors tensors, string name, string suffix, int width, int hidden)
        {
            // As torch.nn.LSTM begins.
            var draw = Initial.Uniform(1 / Math.Sqrt(hidden));
            fromInput = tensors.Take($"{name}.weight_ih{suffix}", [4 * hidden, width], draw);
            fromState = tensors.Take($"{name}.weight_hh{suffix}", [4 * hidden, hidden], draw);
            inputBias = tensors.Take($"{name}.bias_ih{suffix}", [4 * hidden], draw);
            stateBias = tensors.Take($"{name}.bias_hh{suffix}", [4 * hidden], draw);
        }

        /// <param name="x">(P, in).</param>
        /// <returns>(P, H): the state at each place.</returns>
        public Tensor Run(Tensor x, bool backwards)
        {
            var count = (int)x.size(0);
            var given = nn.functional.linear(x, fromInput, inputBias);                          // (P, 4 H)
            var states = new Tensor[count];
            var state = zeros([1, fromState.size(1)], x.dtype, x.device);
            var cell = zeros_like(state);
            for (var step = 0; step < count; step++)
            {
                var place = backwards ? count - 1 - step : step;
                var gates = given.narrow(0, place, 1).add(nn.functional.linear(state, fromState, stateBias)).chunk(4, 1);
                cell = gates[1].sigmoid().mul(cell).add(gates[0].sigmoid().mul(gates[2].tanh()));
                states[place] = state = gates[3].sigmoid().mul(cell.tanh());
            }
            return cat(states, 0);
        }

        public void Dispose()
        {
            fromInput.Dispose();
            fromState.Dispose();
            inputBias.Dispose();
            stateBias.Dispose();
        }
    }
}

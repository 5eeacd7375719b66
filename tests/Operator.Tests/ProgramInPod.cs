using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Contract;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Graft.Operator.Tests;

/// <summary>A trainer and an engine at a loopback address of their own, on the ports that the contract names.</summary>
internal sealed class ProgramInPod : IAsyncDisposable
{
    private readonly WebApplication _program;

    private ProgramInPod(WebApplication program, string address) => (_program, Address) = (program, address);

    public string Address { get; }

    public static async Task<ProgramInPod> StartAsync()
    {
        for (var attempt = 0; ; attempt++)
        {
            var bytes = RandomNumberGenerator.GetBytes(2);
            var address = $"127.{2 + bytes[0] % 250}.{bytes[1]}.7";
            var program = Build(address);
            try
            {
                await program.StartAsync();
                return new(program, address);
            }
            catch (Exception e) when (attempt < 10 && e is (IOException or SocketException))
            {
                await program.DisposeAsync();
            }
        }
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    private static WebApplication Build(string address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Parse(address), ContractPorts.Trainer);
            kestrel.Listen(IPAddress.Parse(address), ContractPorts.Server);
        });
        var program = builder.Build();
        var adapters = new List<JsonObject>();
        var progress = new Progress { Phase = TrainerPhase.Training, Step = 3, Steps = 9, Loss = 1 };
        program.MapGet("/progress", () => Results.Text(JsonSerializer.Serialize(progress, ContractJson.Compact.Progress)));
        program.MapGet("/v1/models", () =>
        {
            lock (adapters)
            {
                var list = new JsonArray([.. adapters.Select(a => a.DeepClone())]);
                return Results.Text(new JsonObject { ["data"] = list }.ToJsonString());
            }
        });
        program.MapPost("/v1/load_lora_adapter", async (HttpContext http) =>
        {
            var asked = (await JsonNode.ParseAsync(http.Request.Body))!;
            var adapter = new JsonObject
            {
                ["id"] = (string?)asked["lora_name"], ["root"] = (string?)asked["lora_path"], ["parent"] = "base",
            };
            lock (adapters) adapters.Add(adapter);
        });
        return program;
    }
}

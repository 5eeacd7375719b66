using Graft.Server.Adapters;
using Graft.Server.Engine;
using Graft.Server.Protocol;

namespace Graft.Server.Endpoints;

/// <summary>Every route of the server but <c>/metrics</c>.</summary>
internal static class ApiRoutes
{
    public static void MapApi(this IEndpointRouteBuilder routes, ServedModels models, AdapterStore adapters, TimeProvider clock)
    {
        var completions = new CompletionEndpoint(models, clock);
        var chats = new ChatEndpoint(models, clock);
        routes.MapGet("/health", context =>
        {
            _ = models.Facts; // 503 while loading
            context.Response.StatusCode = StatusCodes.Status200OK;
            return Task.CompletedTask;
        });
        routes.MapGet("/v1/models", context => context.Response.WriteAsJsonAsync(models.List(), ServerJson.Plain.ModelList));
        routes.MapPost("/v1/completions", completions.HandleAsync);
        routes.MapPost("/v1/chat/completions", chats.HandleAsync);
        routes.MapPost("/v1/load_lora_adapter", async context =>
        {
            var request = await RequestBody.ReadAsync(context, ServerJson.Plain.LoadAdapterRequest);
            await adapters.LoadAsync(request, context.RequestAborted);
            await SayAsync(context, $"Success: LoRA adapter '{request.LoraName}' added successfully.");
        });
        routes.MapPost("/v1/unload_lora_adapter", async context =>
        {
            var request = await RequestBody.ReadAsync(context, ServerJson.Plain.UnloadAdapterRequest);
            await adapters.UnloadAsync(request, context.RequestAborted);
            await SayAsync(context, $"Success: LoRA adapter '{request.LoraName}' removed successfully.");
        });
    }

    /// <summary>As vLLM answers: a sentence, not JSON.</summary>
    private static Task SayAsync(HttpContext context, string sentence)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(sentence);
    }
}

/* The least a FastCGI responder can answer, by libfcgi; its socket is standard input. */
#include <fcgiapp.h>

int main(void)
{
    FCGX_Request request;

    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
        return 1;
    while (FCGX_Accept_r(&request) == 0) {
        FCGX_PutS("Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Length: 6\r\n"
                  "\r\n"
                  "hello\n",
                  request.out);
        FCGX_Finish_r(&request);
    }
    return 0;
}
